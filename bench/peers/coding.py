"""rANS by constriction: the peer of `npm run bench -- coding`.

The first line holds the frequencies of the classes as JSON; they sum to 2^24. Each further line holds symbols and how often they are
to be coded, then decoded, and is answered by one line: the fastest's seconds of each, and bits. What is timed makes bytes of numpy's symbols, and symbols of the bytes. The model
has the frequencies themselves: float64 holds them exactly and constriction's precision is 24 bits.
"""

import json
import sys
import time

import constriction
import numpy as np


def encode(symbols, model):
    encoder = constriction.stream.stack.AnsCoder()
    encoder.encode_reverse(symbols, model)
    return encoder.get_compressed()


def decode(compressed, model, count):
    return constriction.stream.stack.AnsCoder(compressed).decode(model, count)


def fastest(repeats, run):
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - started)
    return min(seconds), result


def main():
    frequencies = np.array(json.loads(sys.stdin.readline())['frequencies'], np.float64)
    model = constriction.stream.model.Categorical(frequencies / frequencies.sum(), perfect=True)
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        symbols = np.array(task['symbols'], np.int32)
        repeats = task['repeats']
        encode_seconds, compressed = fastest(repeats, lambda: encode(symbols, model))
        decode_seconds, decoded = fastest(repeats, lambda: decode(compressed, model, len(symbols)))
        assert np.array_equal(decoded, symbols)
        seconds = {'encode': encode_seconds, 'decode': decode_seconds}
        print(json.dumps({'seconds': seconds, 'bits': 32 * len(compressed)}), flush=True)


main()
