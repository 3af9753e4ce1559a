# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""digits.py write <npy> <count>: the first digits of each class as [count, 1, 28, 28].
digits.py score <folder>...: how many of the 1,000 digits each build of the model gets right."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "scripts"))
import artifact
import demo

inputs, labels = demo.digits()
if sys.argv[1] == "write":
    count = int(sys.argv[3])
    artifact.write_npy(sys.argv[2], (count, 1, 28, 28), inputs[::len(inputs) // count][:count])
else:
    for folder in sys.argv[2:]:
        model = artifact.Model(folder, "model", [1, 1, 28, 28], [1, 10])
        right = sum(demo.argmax(model(value)) == label for value, label in zip(inputs, labels))
        print(f"{pathlib.Path(folder).name}: {right} right")
