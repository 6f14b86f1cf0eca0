"""Commands that sign models, and judge the signatures about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.model.parameters import Name
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.signing.results import Attested, Signed, TrustedKeys

KeyFile = Annotated[
    Path | None,
    Option("--key-file", metavar="PEM", help="Sign with this Ed25519 private key instead of the node's own."),
]
Output = Annotated[
    Path | None,
    Option("--output", "-o", metavar="FILE", help="Also write the envelope as a line of this .intoto.jsonl file."),
]


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    for command in (sign, attest, trust):
        app.command()(command)
    app.command("verify-attest")(verify_attest)


@effects(WRITE, exposed=False)
def sign(
    name: Name,
    key_file: KeyFile = None,
    layout: Annotated[
        Literal["in-toto", "model-signing"],
        Option(help="What the statement looks like; model-signing is that of Sigstore."),
    ] = "in-toto",
    output: Output = None,
) -> Signed:
    """Sign the manifest and every file of a model; the signature travels with it.

    The node's key is made on first use and stays in the home folder.

    Examples:
        ipfs-accel model sign story-model
        ipfs-accel model sign story-model --key-file publisher.pem -o story-model.intoto.jsonl
    """
    return node().models.signatures.sign(name, key_file, layout, output)


@effects(WRITE, exposed=False)
def attest(
    name: Name,
    predicate: Annotated[
        str,
        Option(metavar="WHAT", help="provenance, verification, scan, evaluation, or a JSON file with what you say."),
    ],
    type_: Annotated[
        str | None, Option("--type", metavar="URI", help="What the JSON file is, as a predicate type.")
    ] = None,
    key_file: KeyFile = None,
    output: Output = None,
) -> Signed:
    """Sign something that is known of a model: its source, its last verification, a scan made now, evaluations.

    Examples:
        ipfs-accel model attest story-model --predicate provenance
        ipfs-accel model attest story-model --predicate scan -o story-model.intoto.jsonl
        ipfs-accel model attest story-model --predicate review.json --type https://example.org/review/v1
    """
    return node().models.signatures.attest(name, predicate, type_, key_file, output)


@effects(READ)
def verify_attest(
    name: Name,
    keys: Annotated[
        list[str] | None,
        Option(
            "--key",
            metavar="KEY",
            help="Only this key counts, and its signature is required: did:key:…, a trusted key's name, or a file with"
            " the public key; may be given again.",
        ),
    ] = None,
    type_: Annotated[
        str | None,
        Option("--type", metavar="WHAT", help="Only what says this: provenance, verification, scan, … or a URI."),
    ] = None,
    file: Annotated[
        Path | None, Option("--file", metavar="ENVELOPE", help="Judge the envelopes in this file instead.")
    ] = None,
    require: Annotated[
        bool,
        Option(
            "--require",
            help="Fail unless a trusted key has signed all of the model; attestations, which may say anything, count"
            " with --type.",
        ),
    ] = False,
) -> Attested:
    """Judge the signatures about a model: by whom, whether they hold, and whether they are about these bytes.

    One that is invalid ends with status 4. A valid one by a key that nobody here trusts is told as such.

    Examples:
        ipfs-accel model verify-attest story-model
        ipfs-accel model verify-attest story-model --require
        ipfs-accel model verify-attest story-model --file story-model.intoto.jsonl --key publisher.pub
    """
    from ipfs_accel_cli.core.call import current

    where = current().path(file) if file is not None else None
    return node().models.signatures.verify(name, keys or [], type_, where, require=require)


@effects(WRITE, exposed=False)
def trust(
    key: Annotated[
        str | None, Argument(help="did:key:…, or a file with the public key; all that are trusted if left out.")
    ] = None,
    label: Annotated[str | None, Option("--name", help="What to call the key here.")] = None,
    remove: Annotated[bool, Option("--remove", help="Trust the key, or the one of this name, no more.")] = False,
) -> TrustedKeys:
    """Show the keys whose signatures count, and add or remove one; the node's own always counts here.

    Examples:
        ipfs-accel model trust
        ipfs-accel model trust did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK --name publisher
        ipfs-accel model trust publisher --remove
    """
    return node().models.trust.change(key, label, remove=remove)
