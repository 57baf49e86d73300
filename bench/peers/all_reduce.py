"""The sum of float32 vectors over the processes of one host by gloo, as PyTorch's DistributedDataParallel does it on CPUs: the peer of
`npm run bench -- exchange`.

    all_reduce.py PROCESSES ROUNDS ELEMENTS...

prints for each number of elements one line: a JSON list of the milliseconds of each round, of the slowest process.
"""

import json
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

WARM_UP = 3


def work(rank, processes, rounds, sizes, rendezvous):
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'file://{rendezvous}', rank=rank, world_size=processes)
    for size in sizes:
        gradient = torch.full((size,), 0.5 + rank)
        times = torch.zeros(WARM_UP + rounds)
        for nth in range(WARM_UP + rounds):
            dist.barrier()
            begin = time.perf_counter()
            dist.all_reduce(gradient)
            times[nth] = 1000 * (time.perf_counter() - begin)
            gradient.mul_(1 / processes)
        dist.all_reduce(times, op=dist.ReduceOp.MAX)
        if rank == 0:
            print(json.dumps(times[WARM_UP:].tolist()), flush=True)


def main():
    processes, rounds, *sizes = map(int, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, (processes, rounds, sizes, f'{folder}/rendezvous'), nprocs=processes)


if __name__ == '__main__':
    main()
