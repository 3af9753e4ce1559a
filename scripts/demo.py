# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of scripts/demo: compiles three real models in several formats and runs them beside their float build."""
import array
import json
import math
import pathlib
import statistics
import subprocess
import sys
import time

import artifact

ROOT = pathlib.Path(__file__).resolve().parent.parent
CALIBRATE = "--calibrate="  # stands for the samples of the model
# (row, options of quant-compile). The first row is the float build that all others are compared with.
FORMATS = [
    ("float32", []),
    ("int8/channel, int8 activations", ["--weights=int8/channel", "--activations=int8/token"]),
    ("int8/channel, calibrated int8", ["--weights=int8/channel", "--activations=int8/static@mse", CALIBRATE]),
    ("int4/32, int8 activations", ["--weights=int4/32", "--activations=int8/32"]),
    ("int4/32", ["--weights=int4/32"]),
    ("nf4/64", ["--weights=nf4/64"]),
    ("q4_0", ["--weights=q4_0"]),
    ("mxfp4", ["--weights=mxfp4"]),
    ("int3/32", ["--weights=int3/32"]),
]


def read_idx(path, header):
    return path.read_bytes()[header:]


def digits():
    """1,000 labelled digits: inputs [1, 1, 28, 28] with pixels 0..255, labels."""
    folder = ROOT / "models/mnist-cnn"
    pixels, labels = read_idx(folder / "images-idx3-ubyte", 16), read_idx(folder / "labels-idx1-ubyte", 8)
    return [array.array("f", list(pixels[i * 784:(i + 1) * 784])) for i in range(len(labels))], list(labels)


def windows():
    """Windows of 32 tokens of the sampled stories: inputs [1, 32], next tokens of all but the last position."""
    stories = json.loads((ROOT / "models/stories260K/tokens.json").read_text())
    cut = [story[i:i + 32] for story in stories for i in range(0, len(story) - 31, 32)]
    return [array.array("q", tokens) for tokens in cut], [tokens[1:] for tokens in cut]


def keywords():
    """Spectrograms of spoken words, as [1, 1960] in npy files of f32."""
    files = sorted((ROOT / "models/kws/cases").glob("fp32-*-in0.npy"))
    return [array.array("f", file.read_bytes()[-4 * 1960:]) for file in files]


def argmax(values):
    return max(range(len(values)), key=values.__getitem__)


class Classifier:
    """Accuracy on labelled data."""
    columns = ["accuracy", "same answer"]

    def __init__(self, labels):
        self.labels = labels

    def answers(self, output, index):
        return [argmax(output)]

    def score(self, outputs, answers, reference):
        right = sum(a == [label] for a, label in zip(answers, self.labels))
        same = sum(a == b for a, b in zip(answers, reference))
        return [f"{100 * right / len(answers):.1f} %", f"{100 * same / len(answers):.1f} %"]


class Agreement:
    """The same class as the float build, on inputs without labels."""
    columns = ["same answer"]

    def answers(self, output, index):
        return [argmax(output)]

    def score(self, outputs, answers, reference):
        return [f"{100 * sum(a == b for a, b in zip(answers, reference)) / len(answers):.1f} %"]


class LanguageModel:
    """Perplexity of the true next token, and agreement of the most likely one with the float build."""
    columns = ["perplexity", "same next token"]

    def __init__(self, targets, vocabulary):
        self.targets, self.vocabulary = targets, vocabulary

    def rows(self, output):
        return [output[i:i + self.vocabulary] for i in range(0, len(output), self.vocabulary)]

    def answers(self, output, index):
        return [argmax(row) for row in self.rows(output)]

    def score(self, outputs, answers, reference):
        loss = count = 0
        for output, targets in zip(outputs, self.targets):
            for row, target in zip(self.rows(output), targets):
                top = max(row)
                loss += top + math.log(sum(math.exp(v - top) for v in row)) - row[target]
                count += 1
        pairs = [(x, y) for a, b in zip(answers, reference) for x, y in zip(a, b)]
        return [f"{math.exp(loss / count):.3f}", f"{100 * sum(x == y for x, y in pairs) / len(pairs):.1f} %"]


def compile_model(tools, model, name, row, options, samples, out):
    folder = out / (name + "-" + "".join(c if c.isalnum() else "_" for c in row))
    command = [str(tools / "quant-compile"), str(model), "-o", str(folder), "--name", name]
    command += [option + str(samples) if option == CALIBRATE else option for option in options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return folder


def measure(models, values, repeats):
    """Median milliseconds per inference of each model, the models taking turns so that they see the same machine."""
    times = [[] for _ in models]
    for _ in range(repeats):
        for model, samples in zip(models, times):
            start = time.perf_counter()
            for value in values:
                model(value)
            samples.append((time.perf_counter() - start) / len(values) * 1e3)
    return [statistics.median(samples) for samples in times]


def relative_error(outputs, reference):
    difference = sum((a - b) ** 2 for x, y in zip(outputs, reference) for a, b in zip(x, y))
    return math.sqrt(difference / sum(b * b for y in reference for b in y))


def print_table(header, rows):
    widths = [max(len(row[i]) for row in [header] + rows) for i in range(len(header))]
    for row in [header, ["-" * width for width in widths]] + rows:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def progress(text):
    """One line that is written over, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r  {text:<50}" + ("" if text else "\r"), end="", file=sys.stderr, flush=True)


def race(tools, out, title, name, model, inputs, shapes, task, repeats):
    print(f"\n{title}", flush=True)
    models = []
    # Every eighth input; the scores below are over all of them.
    samples, chosen = out / (name + "-samples.npy"), inputs[::8]
    artifact.write_npy(samples, [len(chosen) * shapes[0][0]] + shapes[0][1:], chosen)
    for row, options in FORMATS:
        progress(f"compiling: {row}")
        folder = compile_model(tools, model, name, row, options, samples, out)
        models.append(artifact.Model(folder, name, *shapes))
    progress("running")
    outputs = [[array.array("f", model(value)) for value in inputs] for model in models]
    answers = [[task.answers(o, i) for i, o in enumerate(out)] for out in outputs]
    times = measure(models, inputs[:32], repeats)
    rows = []
    for index, (row, _) in enumerate(FORMATS):
        progress("scoring: " + row)
        rows.append([row, f"{models[index].weights_bytes / 1024:.1f} KiB",
                     f"{relative_error(outputs[index], outputs[0]):.2e}",
                     *task.score(outputs[index], answers[index], answers[0]),
                     f"{times[index]:.3f} ms", f"{times[0] / times[index]:.2f}x"])
    progress("")
    print_table(["weights, activations", "weights file", "error", *task.columns, "time", "float time / time"], rows)


def main():
    build, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    tools = build / "bin"
    out.mkdir(parents=True, exist_ok=True)
    inputs, labels = digits()
    race(tools, out, "A convolutional digit classifier, 1,000 labelled digits", "mnist",
         ROOT / "models/mnist-cnn/model.onnx", inputs, ([1, 1, 28, 28], [1, 10]), Classifier(labels), 15)
    inputs = keywords()
    race(tools, out, f"A keyword spotter, {len(inputs)} spectrograms", "kws",
         ROOT / "models/kws/micro_kws_m_static_fp32.onnx", inputs, ([1, 1960], [1, 10]), Agreement(), 31)
    inputs, targets = windows()
    race(tools, out, "A Llama-style transformer, next token of " + str(31 * len(inputs)) + " positions in stories",
         "stories", ROOT / "models/stories260K/model.onnx", inputs, ([1, 32], [1, 32, 512]),
         LanguageModel(targets, 512), 5)
    print("\nerror: root of the mean squared difference to the float32 build's outputs, relative to theirs."
          "\ntime: median of one inference on one thread, all builds taking turns in the same run.")


if __name__ == "__main__":
    main()
