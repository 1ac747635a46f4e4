// Reading a JSON Schema: references, alternatives, defaults. Nothing here draws.

/** @param {Schema} schema @param {Schema} root @returns {Schema} */
export function resolve(schema, root) {
  let found = schema;
  while (found.$ref) {
    const target = root.$defs?.[found.$ref.split("/").pop() ?? ""];
    if (!target) throw new Error(`The schema refers to ${found.$ref}, which it does not hold.`);
    const { $ref: _, ...beside } = found;
    found = { ...target, ...beside };
  }
  return found;
}

/** "X or null" as X, and whether null is allowed. @param {Schema} schema @param {Schema} root */
export function withoutNull(schema, root) {
  const whole = resolve(schema, root);
  const choices = whole.anyOf ?? (whole.discriminator ? undefined : whole.oneOf);
  if (!choices?.some((each) => each.type === "null")) return { schema: whole, optional: false };
  const rest = choices.filter((each) => each.type !== "null");
  const { anyOf: _, oneOf: __, ...beside } = whole;
  const inner = rest.length === 1 && rest[0] ? resolve(rest[0], root) : { anyOf: rest };
  return { schema: { ...inner, ...beside }, optional: true };
}

/** The alternatives of a tagged union, or null. @param {Schema} schema @param {Schema} root */
export function alternatives(schema, root) {
  const whole = resolve(schema, root);
  const list = whole.oneOf ?? whole.anyOf;
  const tag = whole.discriminator?.propertyName;
  if (!list || !tag) return null;
  return {
    tag,
    choices: list.map((each) => {
      const choice = resolve(each, root);
      return {
        value: String(choice.properties?.[tag]?.const ?? ""),
        title: choice["x-title"] ?? choice.title ?? "",
        schema: choice,
      };
    }),
  };
}

/** The value a form starts from. @param {Schema} schema @param {Schema} root @returns {any} */
export function defaults(schema, root) {
  const whole = resolve(schema, root);
  if (whole.const !== undefined) return whole.const;
  const union = alternatives(whole, root);
  if (union) {
    const given = whole.default;
    const choice = union.choices.find((each) => each.value === given?.[union.tag]) ?? union.choices[0];
    return choice ? { ...defaults(choice.schema, root), ...(given ?? {}) } : undefined;
  }
  if (whole.properties) {
    /** @type {Values} */
    const value = {};
    for (const [name, property] of Object.entries(whole.properties)) {
      const inner = defaults(property, root);
      if (inner !== undefined) value[name] = inner;
    }
    return whole.default && typeof whole.default === "object" ? { ...value, ...whole.default } : value;
  }
  return whole.default;
}

/** Whether a field applies beside the values of its neighbours. @param {Schema} schema @param {any} siblings */
export function applies(schema, siblings) {
  return Object.entries(schema["x-when"] ?? {}).every(([name, allowed]) =>
    /** @type {any[]} */ (allowed).includes(siblings?.[name]),
  );
}

/** What is sent: without the fields that do not apply, which then take their defaults. @param {any} value @param {Schema} schema @param {Schema} root @returns {any} */
export function applicable(value, schema, root) {
  const whole = withoutNull(schema, root).schema;
  const union = alternatives(whole, root);
  if (union) {
    const choice = union.choices.find((each) => each.value === value?.[union.tag]);
    return choice ? applicable(value, choice.schema, root) : value;
  }
  if (!whole.properties || value === null || typeof value !== "object") return value;
  /** @type {Values} */
  const kept = {};
  for (const [name, inner] of Object.entries(value)) {
    const property = whole.properties[name];
    if (inner === undefined || (property && !applies(resolve(property, root), value))) continue;
    kept[name] = property ? applicable(inner, property, root) : inner;
  }
  return kept;
}

/** Whether everything that must be given is. @param {any} value @param {Schema} schema @param {Schema} root @returns {boolean} */
export function filled(value, schema, root) {
  const whole = withoutNull(schema, root).schema;
  const union = alternatives(whole, root);
  if (union) {
    const choice = union.choices.find((each) => each.value === value?.[union.tag]);
    return choice ? filled(value, choice.schema, root) : true;
  }
  if (!whole.properties || value === null || typeof value !== "object") return true;
  const given = (/** @type {string} */ name) => value[name] !== undefined && value[name] !== "" && value[name] !== null;
  const inner = Object.entries(whole.properties).filter(([name]) => name in value);
  return (whole.required ?? []).every(given) && inner.every(([name, property]) => filled(value[name], property, root));
}

/** @param {any} value @param {string[]} path @returns {any} */
export const valueAt = (value, path) => path.reduce((inner, name) => inner?.[name], value);

/** A copy with one value changed. @param {any} value @param {string[]} path @param {any} next @returns {any} */
export function withValue(value, path, next) {
  const [first, ...rest] = path;
  if (first === undefined) return next;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[first] = withValue(copy[first], rest, next);
  return copy;
}

/** "max_iterations" as a label. @param {string} name @param {Schema} schema */
export function labelOf(name, schema) {
  if (schema["x-title"]) return schema["x-title"];
  if (name === "dataset") return "Data set";
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Text under a field: the note of the schema, without markup. @param {Schema} schema */
export const noteOf = (schema) => (schema.description ?? "").replaceAll("`", "").replace(/\s+/g, " ").trim();
