// Shapes of the REST interface as the pages read them; api/openapi.json is the full description.

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Values = { [key: string]: any };
type View = import("preact").ComponentChildren;

type JobState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

interface Progress {
  done: number;
  total: number;
  fraction: number | null;
  message: string;
  eta_seconds: number | null;
}

interface Job {
  id: string;
  kind: string;
  title: string;
  state: JobState;
  lane: string;
  kept: boolean;
  owner: string;
  model: { id: string; name: string } | null;
  dataset: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  progress: Progress;
  waiting_for: string | null;
  error: { code: string; message: string; field?: string | null } | null;
  summary: Values;
  cancel_requested: boolean;
  spec?: Values;
  versions?: Values;
  parts?: { [state: string]: number };
  figures?: string[];
  exports?: string[];
  models?: { id: string; name: string }[];
  duration_seconds?: number | null;
  parent?: { id: string; title: string; kind: string; step: string } | null;
  step_count?: number;
  steps?: JobStep[];
}

interface JobStep {
  name: string;
  needs: string[];
  kind: string;
  title: string;
  state: JobState | "planned";
  job_id: string | null;
  fraction: number | null;
  seconds: number | null;
  error: { code: string; message: string } | null;
}

interface PaperTable {
  name: string;
  title: string;
  columns: string[];
  units: ("percent" | "distortion")[];
  rows: [string, number[]][];
}

interface Model {
  id: string;
  name: string;
  network: string;
  parameters: Values;
  dataset: string;
  input_shape: [number, number, number];
  class_names: string[];
  metrics: Values;
  linear: boolean;
  smooth: boolean;
  created_at: string;
  job_id: string | null;
  weights_sha256: string;
  multiply_adds: number;
  layers: { name: string; shape: number[] }[];
}

interface Dataset {
  name: string;
  title: string;
  shape: [number, number, number] | null;
  class_names: string[];
  sizes: { [split: string]: number };
  source: string;
  sha256: string;
  available: boolean;
  downloadable: boolean;
  bytes: number | null;
  views: string[];
}

interface ExampleRow {
  index: number;
  image_index: number;
  label: number;
  prediction: number;
  target: number;
  reached: number;
  success: boolean;
  success_8bit: boolean;
  already_wrong: boolean;
  reason: string | null;
  rms: number;
  l2: number;
  linf: number;
  confidence_before: number;
  confidence_after: number;
  kept: boolean;
}

interface ExampleFacts extends ExampleRow {
  l0: number;
  l1: number;
  forwards: number;
  backwards: number;
  weight: number | null;
  class_names: string[];
  probabilities_before: number[];
  probabilities_after: number[];
  trace: { weight: number; distortion: number; loss: number; success: boolean | number | null }[];
}

interface UnitRow {
  index: number;
  arm: number;
  arm_name: string;
  unit: number;
  constant: boolean;
  purity: number;
  coherence: number;
  selectivity: number | null;
  image_index: number[];
  top_label: number[];
  score: (number | null)[];
  top_classes: number[];
  class_mean: (number | null)[];
}

interface PlotlyFigure { data: any[]; layout: Values }
interface FigureAnswer { figure: PlotlyFigure; title: string; reading: string; formula: string; source: string }
interface ExampleAnswer { facts: ExampleFacts; figure: PlotlyFigure | null }
interface FigureFacts { name: string; title: string; reading: string; formula: string; source: string }

interface Schema {
  $ref?: string;
  $defs?: { [name: string]: Schema };
  type?: string;
  title?: string;
  description?: string;
  default?: any;
  const?: any;
  enum?: any[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  properties?: { [name: string]: Schema };
  required?: string[];
  items?: Schema;
  prefixItems?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  discriminator?: { propertyName: string; mapping: { [value: string]: string } };
  "x-group"?: string;
  "x-widget"?: string;
  [extra: string]: any;
}

interface Kind { kind: string; heading: string; summary: string; schema: Schema; presets: Values[]; figures: FigureFacts[] }
interface CatalogAnswer {
  version: string;
  kinds: Kind[];
  networks: { name: string; title: string }[];
  methods: { name: string; title: string; paper: string }[];
  paper_tables: PaperTable[];
  defaults: Values;
}

interface Page<T> { items: T[]; next_cursor?: string | null; total?: number }

interface Plotly {
  react(element: HTMLElement, data: any[], layout: Values, config: Values): Promise<any>;
  relayout(element: HTMLElement, change: Values): Promise<any>;
  purge(element: HTMLElement): void;
  downloadImage(element: HTMLElement, options: Values): Promise<any>;
  Plots: { resize(element: HTMLElement): Promise<any> };
}

interface Window { Plotly?: Plotly }
declare function SwaggerUIBundle(options: Values): void;
