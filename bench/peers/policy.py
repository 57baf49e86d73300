"""The recurrence for step budgets in numpy: the peer of `npm run bench -- policy`.

Each line holds a planning task as JSON: the components L_t in decreasing order and the budget. It is answered by one line: seconds,
the cost and the policy. A row of the programme is one minimum over a matrix of all moves, O(D^2), as the original has it, with
float32 and without the moves that generate nothing; it lies in memory so that each minimum runs over neighbouring values.
"""

import json
import sys
import time

import numpy as np


def moves(components):
    """[t, s]: the cost of generating the steps s..t-1 with one call; infinite where there are none."""
    steps = np.arange(len(components) + 1)
    width = steps[:, None] - steps[None, :-1]
    return np.where(width > 0, width * components[None, :], np.float32(np.inf)).astype(np.float32)


def plan(components, budget):
    costs = moves(components)
    row = np.full(len(components) + 1, np.inf, np.float32)
    row[0] = 0
    back = np.empty((budget, len(components) + 1), np.int32)
    for k in range(budget):
        totals = row[None, :-1] + costs
        back[k] = totals.argmin(1)
        row = np.take_along_axis(totals, back[k][:, None], 1)[:, 0]
    policy, step = [], len(components)
    for k in reversed(range(budget)):
        step = int(back[k, step])
        policy.append(step)
    return float(row[-1]), policy[::-1]


def main():
    for line in sys.stdin:
        task = json.loads(line)
        components = np.array(task['components'], np.float32)
        started = time.perf_counter()
        cost, policy = plan(components, task['budget'])
        seconds = time.perf_counter() - started
        print(json.dumps({'seconds': seconds, 'cost': cost, 'policy': policy}), flush=True)


main()
