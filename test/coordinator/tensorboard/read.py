"""Prints what TensorBoard reads in the folder of each run given, as JSON."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util


def read(folder):
    kinds = ["scalars", "images", "audio", "histograms", "tensors"]
    events = EventAccumulator(folder, size_guidance=dict.fromkeys(kinds, 0))
    events.Reload()
    tags = events.Tags()
    return {
        "scalars": {tag: [[e.wall_time, e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
        "images": {
            tag: [[e.step, e.width, e.height, e.encoded_image_string.hex()] for e in events.Images(tag)]
            for tag in tags["images"]
        },
        "audio": {
            tag: [
                [e.step, e.sample_rate, e.length_frames, e.content_type, e.encoded_audio_string.hex()]
                for e in events.Audio(tag)
            ]
            for tag in tags["audio"]
        },
        "histograms": {
            tag: [[e.step, vars(e.histogram_value)] for e in events.Histograms(tag)] for tag in tags["histograms"]
        },
        "texts": {
            tag: [[e.step, tensor_util.make_ndarray(e.tensor_proto)[0].decode()] for e in events.Tensors(tag)]
            for tag in tags["tensors"]
        },
    }


print(json.dumps([read(folder) for folder in sys.argv[1:]]))
