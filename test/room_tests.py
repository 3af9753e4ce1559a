# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The test format of the suite; a module of its own because lit hands it to worker processes."""
import os

import lit.formats
import lit.Test


class RoomTests(lit.formats.ShTest):
    """Finds tests in folders named `test` only; models and format records are .mlir files too."""

    def getTestsInDirectory(self, testSuite, path_in_suite, litConfig, localConfig):
        if "test" not in path_in_suite:
            return
        folder = testSuite.getSourcePath(path_in_suite)
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not name.startswith(".") and os.path.splitext(name)[1] in localConfig.suffixes:
                yield lit.Test.Test(testSuite, path_in_suite + (name,), localConfig)
