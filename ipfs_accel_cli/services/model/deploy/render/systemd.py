"""systemd: a hardened unit that starts our own server or llama-server."""

from __future__ import annotations

import shlex
from pathlib import Path

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.unit_files import unit_line, unit_text, unit_word
from ipfs_accel_cli.services.model.deploy.render import accel, llama_server
from ipfs_accel_cli.services.model.deploy.render.plan import FILE, Output, Plan, comments, heading

_SHARED_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - what PrivateTmp hides
_HARDENED = """
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077
""".strip().splitlines()


def render(plan: Plan) -> Output:
    """Return a unit of the system's manager, which runs as the owner of the home; raises as the server's `words`."""
    ours = plan.config.server == "accel"
    key = plan.config.api_key_env
    file = f"ipfs-accel-{plan.name}.service"
    place = f"/etc/systemd/system/{file}"
    commands = [f"sudo install -m 644 {FILE} {place}", "sudo systemctl daemon-reload"]
    commands.append(f"sudo systemctl enable --now {file}")
    notes = accel.told(plan, limits=True) if ours else llama_server.told(plan, limits=True)
    if key:
        commands.insert(0, f"sudo install -m 600 -D FILE_WITH_THE_KEY /etc/credstore/{key}")
        notes.append(f"the key is read from /etc/credstore/{key}, as a credential that only the service sees")
    sections = [
        comments(heading(plan, *notes, *(command.replace(FILE, file) for command in commands))),
        [
            "[Unit]",
            f"Description={unit_text(f'{plan.config.model} by {plan.config.server} (deployment {plan.title})')}",
        ],
        ["After=network-online.target", "Wants=network-online.target", ""],
        ["[Service]", "Type=exec", f"User={_user(plan)}", *_start(plan), "Restart=on-failure", "RestartSec=5", ""],
        [*_limits(plan), *_HARDENED, *_reach(plan), *_temporary(plan), ""],
        ["[Install]", "WantedBy=multi-user.target"],
    ]
    text = "\n".join(line for section in sections for line in section) + "\n"
    return Output(file, text, commands=commands, notes=notes)


def _start(plan: Plan) -> list[str]:
    key = plan.config.api_key_env
    lines: list[str] = []
    if plan.config.server == "accel":
        words = accel.words(plan)
        if key:
            # Where the manager grants a credential by an access list, its mode is not one that --token-file takes.
            script = f'{accel.TOKEN_VARIABLE}="$(cat "$CREDENTIALS_DIRECTORY/{key}")" exec {shlex.join(words)}'
            words = ["/bin/sh", "-euc", script]
        for name, value in accel.environment(plan).items():
            lines.append(f"Environment={unit_word(f'{name}={value}', expands=False)}")
        lines.append(f"ReadWritePaths={unit_word(str(plan.home), expands=False)}")
    else:
        words = [plan.llama_server, *llama_server.words(plan, plan.folder)]
    # Neither server has any business with the keys of the home.
    lines.append(f"InaccessiblePaths=-{unit_word(str(plan.home / 'keys'), expands=False)}")
    command = unit_line(words)
    if key:
        lines.append(f"LoadCredential={key}:/etc/credstore/{key}")
        if plan.config.server == "llama-server":
            command += f" \\\n    --api-key-file ${{CREDENTIALS_DIRECTORY}}/{key}"
    return [*lines, f"ExecStart={command}"]


def _limits(plan: Plan) -> list[str]:
    found = []
    if plan.config.memory_limit_bytes:
        found += [f"MemoryMax={plan.config.memory_limit_bytes}"]
    if plan.config.cpu_limit:
        found.append(f"CPUQuota={max(1, round(plan.config.cpu_limit * 100))}%")
    return found


def _reach(plan: Plan) -> list[str]:
    """Return what the service may reach: devices only for a device, the network only where others call it."""
    found = [] if plan.config.public else ["IPAddressDeny=any", "IPAddressAllow=localhost"]
    return [*found, "PrivateDevices=yes"] if plan.config.device == "cpu" else found


def _temporary(plan: Plan) -> list[str]:
    hidden = any(plan.home.is_relative_to(folder) for folder in _SHARED_TEMPORARY)
    return [] if hidden else ["PrivateTmp=yes"]


def _user(plan: Plan) -> str:
    name = plan.owner[0]
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise Invalid(f"a unit cannot name the user {name!r}")
    return name
