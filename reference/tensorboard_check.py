"""Opens the events of a run with TensorBoard itself and says what it finds there; fails if anything is missing.

    pip install tensorboard
    barnowl train ecg --epochs 6 --out runs/tb --tensorboard
    python reference/tensorboard_check.py runs/tb 6
"""

import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def main() -> None:
    folder, epochs = sys.argv[1], int(sys.argv[2])
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0, "images": 0})
    events.Reload()
    for tag in ("loss/train", "loss/valid", "accuracy/valid", "spike_rate/layer_1", "learning_rate"):
        steps = [event.step for event in events.Scalars(tag)]
        assert steps == list(range(1, epochs + 1)), f"{tag}: epochs {steps}"
        print(f"{tag}: {len(steps)} epochs, last {events.Scalars(tag)[-1].value:.4g}")
    for tag in ("layers/0/tau_m", "spike_rates/layer_1"):
        last = events.Histograms(tag)[-1]
        value = last.histogram_value
        assert last.step == epochs and sum(value.bucket) == value.num > 0, tag
        print(f"{tag}: {value.num:.0f} values from {value.min:.4g} to {value.max:.4g}")
    image = events.Images("raster")[-1]
    assert image.encoded_image_string.startswith(b"\x89PNG") and image.width > 0, "raster"
    print(f"raster: {image.width} × {image.height}, epoch {image.step}")


main()
