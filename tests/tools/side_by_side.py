"""Runs the cases of a test file two at a time, for files that mostly wait: on silence, on time-outs, on links with a delay.

    if __name__ == "__main__":
        side_by_side.main(alone=[HowMuchMemory])

The cases of `alone` come first, one after the other: what measures the machine, and what changes the process. With names of cases on
the command line, as unittest takes them, those run as unittest runs them.
"""
import os
import sys
import traceback
import unittest

WORKERS = 2


def _units(suite):
    """What must stay in one process, in its order: a case, or all cases of a class that prepares something for them."""
    units, of_class = [], {}
    for case in _cases(suite):
        kind = type(case)
        if kind.setUpClass.__func__ is unittest.TestCase.setUpClass.__func__:
            units.append([case])
        elif kind in of_class:
            of_class[kind].append(case)
        else:
            of_class[kind] = [case]
            units.append(of_class[kind])
    return units


def _cases(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from _cases(part)
        else:
            yield part


def _run(units):
    """Whether all of the units that this iterator gives passed. What they say comes in one piece at the end of each."""
    passed = True
    for unit in units:
        result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite(unit))
        passed = passed and result.wasSuccessful()
    return passed


def _taken_from(queue, units):
    """The numbers of the units lie in a pipe, and whoever is free takes the next."""
    while number := os.read(queue, 1):
        yield units[number[0]]


def _worker(queue, units):
    """The process of a worker; the number by which it can be waited for."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        code = 0 if _run(_taken_from(queue, units)) else 1
    except BaseException:  # whatever it is, this process must not go on as if it were the first one
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main(alone=()):
    if any(not argument.startswith("-") for argument in sys.argv[1:]):
        unittest.main(module="__main__")
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    units = _units(suite)
    first = [unit for unit in units if isinstance(unit[0], tuple(alone))]
    rest = [unit for unit in units if not isinstance(unit[0], tuple(alone))]
    passed = _run(first)
    assert len(rest) < 256, "a number is one byte"
    queue, numbers = os.pipe()
    os.write(numbers, bytes(range(len(rest))))
    os.close(numbers)
    workers = [_worker(queue, rest) for _ in range(WORKERS)]
    for worker in workers:
        passed = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == 0 and passed
    print(f"{sum(map(len, units))} cases, {'all passed' if passed else 'NOT all passed'}", file=sys.stderr)
    sys.exit(0 if passed else 1)
