"""Commands about models: list them, add one from a file, take one from torchvision."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from blindspots.commands.console import Target, notes, out
from blindspots.commands.jobs import AsJson, print_summary, watch
from blindspots.errors import InvalidInput

models = typer.Typer(help="Models: list, add one from a file.", invoke_without_command=True)


@models.callback()
def models_or_list(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Without a command: list the models."""
    if context.invoked_subcommand is None:
        list_models(context, as_json=as_json)


@models.command("list")
def list_models(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the models: trained here, or added."""
    target: Target = context.obj
    with target.client() as client:
        found = client.models()
    if as_json:
        out.print_json(json.dumps(found))
        return
    table = Table("name", "network", "data set", "test error", "id", box=None, header_style="bold")
    for model in found:
        error = model["metrics"].get("test_error")
        shown = "" if error is None else f"{100 * error:.2f} %"
        table.add_row(model["name"], model["network"], model["dataset"], shown, model["id"])
    out.print(table)


@models.command()
def add(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="An ONNX file, or safetensors.", exists=True, dir_okay=False)],
    *,
    network: Annotated[
        str | None,
        typer.Option(help='Network of safetensors as JSON: {"name": "mlp", "widths": [100, 100]}.'),
    ] = None,
    name: Annotated[str, typer.Option(help="What the model will be called.")] = "",
    shape: Annotated[str | None, typer.Option(help="Channels, height, width: 3,224,224.")] = None,
    classes: Annotated[str | None, typer.Option(help="Names of the classes: cat,dog.")] = None,
    pixels: Annotated[
        str, typer.Option(help="Range it was trained on: '0 to 1', '0 to 255', '-1 to 1'.")
    ] = "0 to 1",
    mean: Annotated[str | None, typer.Option(help="Mean per channel, in that range: .485,.456,.406.")] = None,
    deviation: Annotated[str | None, typer.Option(help="Deviation per channel: .229,.224,.225.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Labelled images to measure its error on.")] = None,
    split: Annotated[str, typer.Option(help="train or test.")] = "test",
) -> None:
    """Add a model that was trained elsewhere; says what the gate found."""
    spec: dict[str, Any] = {
        "kind": "import_model",
        "network": _document(network) if network else {"name": "onnx"},
        "preprocessing": {
            "pixels": pixels,
            "mean": _numbers(mean, "mean"),
            "deviation": _numbers(deviation, "deviation"),
        },
        "input_shape": [int(side) for side in _numbers(shape, "shape") or []] or None,
        "class_names": [each.strip() for each in classes.split(",")] if classes else None,
        "dataset": dataset,
        "split": split,
        "model_name": name or file.stem[:100],
    }
    target: Target = context.obj
    with target.client() as client:
        stored = client.upload_weights(file)
        job = client.submit({**spec, "weights": stored.id})
        print_summary(watch(client, job.id))
        for warning in client.job(job.id).summary.get("warnings", []):
            notes.print(f"Warning: {warning}")


@models.command()
def zoo(
    name: Annotated[str, typer.Argument(help="For instance alexnet.")],
    file: Annotated[Path, typer.Argument(help="Where to write it: alexnet.safetensors.", dir_okay=False)],
) -> None:
    """Write torchvision's trained weights to a file, which can then be added. Needs torchvision."""
    from blindspots.zoo import torchvision_weights

    classes = torchvision_weights.save(name, file)
    network = json.dumps(torchvision_weights.NETWORKS[name])
    shape = ",".join(str(side) for side in torchvision_weights.SHAPE)
    notes.print(f"{file} has the weights of {len(classes)} classes. Add it with:")
    notes.print(f"blindspots models add {file} --network '{network}' --shape {shape} --dataset NAME")


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"--network is not JSON: {error.msg}.", field="network") from error
    if not isinstance(found, dict):
        raise InvalidInput('--network is a JSON object, for instance {"name": "softmax"}.', field="network")
    return found


def _numbers(text: str | None, field: str) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(each) for each in text.split(",")]
    except ValueError as error:
        raise InvalidInput(f"--{field} takes numbers separated by commas.", field=field) from error
