"""The command line of the timing scripts, and the clock: one object of JSON, a served process, or lines to read.

    python reference/time_X.py [SHAPE ...] [--threads N] [--steps K] [--warmup W] [--length T]
    python reference/time_X.py SHAPE --json      one object on standard output, with the keys of `barnowl bench`
    python reference/time_X.py SHAPE --serve     a training step for every line "step" of standard input

A served script builds the network, warms up and prints {"ready": true, ...}. It answers each line "step" with
{"seconds": x} as soon as that step is done, and leaves on "quit" or at the end of its input. Nothing but these lines of
JSON comes to standard output: what a library prints there goes to standard error.
"""

import argparse
import json
import math
import os
import statistics
import sys
import time
from dataclasses import replace

from shapes import SHAPES  # before any framework: it settles the environment


def arguments(description, neurons=("alif",), options=None):
    """The command line. Called before a framework is loaded, so that --help and mistakes are answered at once.

    `neurons` are those that the script has for the hidden layers; `options(parser)` adds what it alone takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=f"{', '.join(SHAPES)} (default all)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="default 2")
    parser.add_argument("--steps", type=int, default=5, metavar="K", help="training steps to time (default 5)")
    parser.add_argument("--warmup", type=int, default=2, metavar="W", help="training steps before these (default 2)")
    parser.add_argument("--length", type=int, metavar="T", help="sequences of T time steps instead of the shape's own")
    parser.add_argument("--batch", type=int, metavar="B", help="mini-batches of B sequences instead of the shape's own")
    parser.add_argument("--hidden", type=int, metavar="H", help="hidden layers of H neurons instead of the shape's own")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda; of pytorch and jax")
    parser.add_argument("--neuron", default="alif", choices=neurons, help=f"of hidden layers: {', '.join(neurons)}")
    if options:
        options(parser)
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object; takes one shape")
    output.add_argument("--serve", action="store_true", help='time a step for each line "step" of standard input')
    args = parser.parse_args()
    for name in args.shapes:
        if name not in SHAPES:
            parser.error(f"unknown shape {name!r}: one of {', '.join(SHAPES)}")
    if (args.json or args.serve) and len(args.shapes) != 1:
        parser.error(f"{'--json' if args.json else '--serve'} takes one shape")
    args.shapes = args.shapes or list(SHAPES)
    for name in args.shapes:
        if args.length is not None and args.length <= SHAPES[name].decode["skip"]:
            parser.error(f"--length {args.length}: {name} leaves out the first {SHAPES[name].decode['skip']} steps")
    if min(args.threads, args.steps, args.warmup, args.batch or 1, args.hidden or 1) < 1:
        parser.error("--threads, --steps, --warmup, --batch and --hidden start at 1")
    if args.json or args.serve:
        args.output = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
    return args


def limit_processors(threads):
    """For XLA, which starts a thread for each processor that the process may use: leaves it as many as wanted."""
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise SystemExit(f"--threads {threads}: this process may use {len(allowed)} processors")
    os.sched_setaffinity(0, allowed[:threads])


def peak_memory():
    """The most memory that the process has held so far, in bytes; 0 where the system does not say."""
    try:
        with open("/proc/self/status") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0


def timed(step):
    """The seconds that `step()` took, and the loss. It must not return before its work is done."""
    start = time.perf_counter()
    loss = step()
    seconds = time.perf_counter() - start
    loss = float(loss)
    if not math.isfinite(loss):
        raise SystemExit(f"the loss is {loss}")
    return seconds, loss


def sized(shape, args):
    """The shape with the sizes of the command line."""
    if args.length is not None:
        shape = replace(shape, steps=args.length)
    if args.batch is not None:
        shape = replace(shape, batch=args.batch)
    if args.hidden is not None:
        shape = replace(shape, layers=tuple(dict(layer, size=args.hidden) for layer in shape.layers))
    return replace(shape, neuron=args.neuron)


def run(args, framework, version, build):
    """Times each shape. `build(shape) -> (step, rates)`: a call of `step` trains once and returns the loss; the first
    one fills the list `rates` with the spike rate of each hidden layer."""

    def emit(**values):
        print(json.dumps(values), file=args.output, flush=True)

    for name in args.shapes:
        shape = sized(SHAPES[name], args)
        about = dict(framework=framework, version=version, shape=name, neuron=args.neuron, threads=args.threads)
        step, rates = build(shape)
        for _ in range(args.warmup):
            timed(step)
        if args.serve:
            emit(ready=True, **about)
            serve(step, emit)
            return
        print(f"{name}: {args.steps} steps to time", file=sys.stderr)
        results = [timed(step) for _ in range(args.steps)]
        seconds = [seconds for seconds, _ in results]
        median, fastest, loss = statistics.median(seconds), min(seconds), results[-1][1]
        rates = [round(float(rate), 4) for rate in rates]
        if args.json:
            emit(
                **about,
                seconds_per_step=median,
                fastest_step=fastest,
                timed_steps=args.steps,
                batch=shape.batch,
                steps=shape.steps,
                spike_rate=rates,
                peak_memory=peak_memory(),
                loss=loss,
            )
        else:
            print(
                f"{name:7} {1e3 * median:9.1f} ms a step (fastest {1e3 * fastest:.1f})   "
                f"spike rates {', '.join(map(str, rates))}   loss {loss:.4f}",
                flush=True,
            )


def serve(step, emit):
    for line in sys.stdin:
        command = line.strip()
        if command == "quit":
            return
        if command != "step":
            raise SystemExit(f'unknown line {command!r}: "step" or "quit"')
        emit(seconds=timed(step)[0])
