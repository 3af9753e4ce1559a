#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes models of one operator or of subgraphs that an operator runs, random inputs, and the outputs of LiteRT's kernels:
operators.tar.xz. Models that are refused lie beside them: what error.txt says is part of the message.

usage: make_operators.py <archive>     needs the Python packages of make_streams.py and ai-edge-litert
"""
import itertools
import sys

import numpy as np
import tflite
from flatbuffers import flexbuffers
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from archive import archive
from make_lite_streams import basic, plain, step, two_ways
from make_streams import BOOL, F32, I8, I16, I32, I64, NUMPY, OP, Maker, lstm

U8, U16, U32, STRING, COMPLEX = (getattr(tflite.TensorType, name) for name in ("UINT8", "UINT16", "UINT32", "STRING", "COMPLEX64"))
NUMPY.update({U8: np.uint8, U16: np.uint16, U32: np.uint32})
random = np.random.default_rng(20261127)
CODES = (0.1, 2)


def constant(values, kind, *scale):
    return np.array(values, NUMPY[kind]), kind, *scale


def reals(*shape):
    return random.normal(0, 2, shape).astype(np.float32)


def integers(shape, low, high, kind=I32):
    return random.integers(low, high, shape).astype(NUMPY[kind])


def kind_of(array):
    return next(kind for kind, numpy in NUMPY.items() if array.dtype == numpy)


def put(maker, graph, name, operand):
    """An operand is an array that the caller gives, a constant, or the shape and type of a tensor without data."""
    if isinstance(operand[0], np.ndarray):
        return maker.tensor(graph, name, operand[0].shape, operand[1], *(operand[2:] or (None, 0)), operand[0])
    return maker.tensor(graph, name, operand[0], operand[1], *(operand[2:] or (None, 0)))


def model(code, operands, outputs, options=None, version=1):
    """One operator. Operands that are arrays, or arrays with a scale, are inputs of the model; -1 is an absent one."""
    maker = Maker()
    graph = maker.graph()
    numbers, inputs, given = [], [], []
    for i, operand in enumerate(operands):
        if isinstance(operand, int):
            numbers.append(operand)
            continue
        if isinstance(operand, np.ndarray):
            operand = {"array": operand}
        if isinstance(operand, dict):
            array = operand["array"]
            numbers.append(maker.tensor(graph, f"x{i}", array.shape, kind_of(array), *operand.get("scale", (None, 0))))
            inputs.append(numbers[-1])
            given.append(array)
        else:
            numbers.append(put(maker, graph, f"x{i}", operand))
    made = [put(maker, graph, f"y{i}", output) for i, output in enumerate(outputs)]
    maker.operator(graph, code, numbers, made, options)
    maker.model.operatorCodes[-1].version = version
    graph.inputs, graph.outputs = inputs, made
    return maker, given


def codes(array, scale=CODES):
    return {"array": array, "scale": scale}


def functions():
    x = reals(3, 7)
    x[0, :4] = np.nan, np.inf, -np.inf, 0
    yield "sign", model(OP.SIGN, [x], [((3, 7), F32)])
    yield "sign-i32", model(OP.SIGN, [integers((3, 7), -2, 3)], [((3, 7), I32)])
    every = np.arange(-128, 128).astype(np.int8)[None]
    for approximate in (False, True):
        options = ("GeluOptions", {"approximate": approximate})
        yield f"gelu-{int(approximate)}-f32", model(OP.GELU, [reals(3, 7)], [((3, 7), F32)], options)
        yield f"gelu-{int(approximate)}", model(OP.GELU, [codes(every, (0.05, 3))], [((1, 256), I8, 0.03, -20)], options, 2)
    yield "atan2-f32", model(OP.ATAN2, [reals(3, 7), reals(3, 7)], [((3, 7), F32)])
    yield "add-n-f32", model(OP.ADD_N, [reals(40, 40) for _ in range(3)], [((40, 40), F32)], ("AddNOptions", {}))
    yield "pow-f32", model(OP.POW, [np.abs(reals(3, 7)), reals(7)], [((3, 7), F32)])
    for kind in (I8, U8, I16, U16, I32, U32):
        info = np.iinfo(NUMPY[kind])
        a, b = integers((3, 7), info.min, info.max, kind), integers((3, 7), info.min, info.max, kind)
        yield f"bitwise-xor-{kind}", model(OP.BITWISE_XOR, [a, b], [((3, 7), kind)])
        yield f"right-shift-{kind}", model(OP.RIGHT_SHIFT, [a, integers((3, 7), max(info.min, -3), 40, kind)], [((3, 7), kind)])
    yield "bitcast", model(OP.BITCAST, [reals(3, 7)], [((3, 7), I32)])
    for bits, low, high in ((8, -1, 2), (4, -3, .5), (8, 0, 6)):
        yield (f"fake-quant-{bits}{low}-f32".replace("--", "-"), model(OP.FAKE_QUANT, [reals(3, 7)], [((3, 7), F32)],
               ("FakeQuantOptions", {"min": float(low), "max": float(high), "numBits": bits})))
    yield "local-response-f32", model(OP.LOCAL_RESPONSE_NORMALIZATION, [reals(1, 2, 2, 7)], [((1, 2, 2, 7), F32)], (
        "LocalResponseNormalizationOptions", {"radius": 2, "bias": 1., "alpha": .5, "beta": .75}))
    for array in (reals(3, 7), integers((3, 7), -5, 5)):
        yield f"bucketize-{array.dtype}", model(OP.BUCKETIZE, [array], [((3, 7), I32)],
                                                ("BucketizeOptions", {"boundaries": [-2.5, -1., 0., 1., 3.]}))


def resizes():
    for corners, halves in ((False, False), (True, False), (False, True)):
        yield f"bilinear-u8-{int(corners)}{int(halves)}", model(
            OP.RESIZE_BILINEAR, [codes(integers((1, 5, 4, 3), 0, 256, U8)), constant([9, 7], I32)], [((1, 9, 7, 3), U8, *CODES)],
            ("ResizeBilinearOptions", {"alignCorners": corners, "halfPixelCenters": halves}), 3)


def places():
    """Elements by position."""
    for axis, shape in ((-1, (2, 3, 5)), (0, (5, 2, 3)), (1, (2, 5, 3))):
        yield f"one-hot{axis}", model(OP.ONE_HOT, [integers((2, 3), -2, 7), constant(5, I32), constant(2.5, F32), constant(-1, F32)],
                                      [(shape, F32)], ("OneHotOptions", {"axis": axis}))
    for i, x in enumerate((reals(3, 7), *(integers((3, 7), 0, 5, kind) for kind in (I8, U8, I32, I64)))):
        k, scale = 2 + i, CODES if x.dtype.itemsize == 1 else ()
        yield f"topk-{x.dtype}", model(OP.TOPK_V2, [codes(x, scale or (None, 0)), constant(k, I32)],
                                       [((3, k), kind_of(x), *scale), ((3, k), I32)])
    for name, indices, updates, shape in (
            ("elements", (4, 1), reals(4), (8,)), ("rows", (4, 1), reals(4, 3), (8, 3)), ("pairs", (3, 2), integers((3,), 0, 90), (4, 5)),
            ("slices", (2, 2, 2), integers((2, 2, 3), 0, 90, I64), (4, 5, 3)), ("codes", (5, 1), integers((5, 2), 0, 90, I8), (2, 2)),
            ("truths", (4, 1), integers((4,), 0, 2, BOOL), (3,))):
        index = integers(indices, 0, min(shape[:indices[-1]]))
        scale = CODES if name == "codes" else ()
        yield f"scatter-{name}", model(OP.SCATTER_ND, [index, codes(updates, scale or (None, 0)), constant(shape, I32)],
                                       [(shape, kind_of(updates), *scale)])
    dense = ("SparseToDenseOptions", {"validateIndices": False})
    pairs = np.array([[0, 1], [2, 3], [3, 4]], np.int32)
    yield "sparse-to-dense", model(OP.SPARSE_TO_DENSE, [pairs, constant([4, 5], I32), reals(3), constant(-1, F32)], [((4, 5), F32)], dense)
    yield "sparse-to-dense-one", model(OP.SPARSE_TO_DENSE, [np.array([0, 2, 4], np.int32), constant([5], I32), np.array(3, np.int32),
                                                            constant(7, I32)], [((5,), I32)], dense)
    yield "segment-sum-f32", model(OP.SEGMENT_SUM, [reals(5, 3), constant([0, 0, 1, 2, 2], I32)], [((3, 3), F32)])
    for name in ("SUM", "PROD", "MAX", "MIN"):
        for array in (reals(5, 3), integers((5, 3), -9, 9)):
            tag = f"segment-{name.lower()}-{'f32' if array.dtype == np.float32 else 'i32'}"
            code, kind = getattr(OP, "UNSORTED_SEGMENT_" + name), kind_of(array)
            yield tag, model(code, [array, np.array([2, 0, -1, 2, 1], np.int32), constant(4, I32)], [((4, 3), kind)])
            yield tag + "-each", model(code, [array, integers((5, 3), -1, 4), constant(4, I32)], [((4,), kind)])
    for sequence, batch, shape in ((1, 0, (3, 5, 2)), (0, 1, (5, 3, 2)), (2, 0, (3, 2, 5))):
        yield f"reverse-sequence-{sequence}{batch}", model(OP.REVERSE_SEQUENCE, [reals(*shape), np.array([0, 3, 5], np.int32)], [(shape, F32)],
                                                           ("ReverseSequenceOptions", {"seqDim": sequence, "batchDim": batch}))
    yield "matrix-diag", model(OP.MATRIX_DIAG, [reals(2, 4)], [((2, 4, 4), F32)])
    for shape in ((2, 4, 4), (2, 3, 5), (5, 3)):
        yield f"matrix-set-diag-{len(shape)}{shape[-1]}", model(OP.MATRIX_SET_DIAG, [reals(*shape), reals(*shape[:-2], min(shape[-2:]))],
                                                                [(shape, F32)])
    yield "rank", model(OP.RANK, [reals(3, 7, 1)], [((), I32)])
    for i, bounds in enumerate(((0, 10, 3), (5., -2., -.7), (0., 1., .1))):
        kind = F32 if i else I32
        count = (4, 10, 10)[i]
        maker = Maker()
        graph = maker.graph()
        numbers = [put(maker, graph, f"c{j}", constant(bound, kind)) for j, bound in enumerate(bounds)]
        steps, x, y = (maker.tensor(graph, name, (count,), kind) for name in ("steps", "x", "y"))
        maker.operator(graph, OP.RANGE, numbers, [steps])
        maker.operator(graph, OP.ADD, [steps, x], [y], ("AddOptions", {}))
        graph.inputs, graph.outputs = [x], [y]
        yield f"range-{i}", (maker, [np.zeros(count, NUMPY[kind])])


def slices():
    """Parts with new axes and an ellipsis, and parts whose start the data holds."""
    x, masks = integers((3, 4, 5), -128, 128, I8), ("StridedSliceOptions", {"ellipsisMask": 2, "newAxisMask": 9, "shrinkAxisMask": 16})
    numbers = [constant(values, I32) for values in ([0, 0, 1, 0, -2], [0, 0, 4, 0, 0], [1, 1, 2, 1, 1])]
    yield "slice-axes", model(OP.STRIDED_SLICE, [codes(x), *numbers], [((1, 3, 2, 1), I8, *CODES)], masks)
    numbers = [constant(values, I32) for values in ([0, 0], [0, 2], [1, 1])]
    yield "slice-last", model(OP.STRIDED_SLICE, [codes(x), *numbers], [((3, 4, 2), I8, *CODES)], ("StridedSliceOptions", {"ellipsisMask": 1}))
    masks = ("StridedSliceOptions", {"beginMask": 2, "endMask": 2, "shrinkAxisMask": 5})
    yield "slice-one", model(OP.STRIDED_SLICE, [codes(x), np.array([-2, 9, 4], np.int32), constant([0, 0, 0], I32), constant([1, 1, 1], I32)],
                             [((4,), I8, *CODES)], masks)
    yield "slice-moving", model(OP.SLICE, [codes(x), np.array([1, 0, 2], np.int32), constant([2, 4, 3], I32)], [((2, 4, 3), I8, *CODES)])


class Subgraphs(Maker):
    """A model whose tensors are truth values, numbers of 32 bits, or values of one type and scale."""

    def __init__(self, kind, graphs):
        super().__init__()
        self.kind, self.scale = kind, (0.02, 3) if kind == I8 else (None, 0)
        self.graphs = [self.graph() for _ in range(graphs)]

    def values(self, graph, name, shape=(2, 4), data=None):
        return self.tensor(graph, name, shape, self.kind, *self.scale, data)

    def number(self, graph, name, data=None):
        return self.tensor(graph, name, (), I32, None, 0, None if data is None else np.array(data, np.int32))

    def weights(self):
        return integers((4,), -99, 99, I8) if self.kind == I8 else reals(4)


def choice(kind=F32):
    """c ? x + a : x * b."""
    maker = Subgraphs(kind, 3)
    main, *branches = maker.graphs
    c, x, y = maker.tensor(main, "c", (1,), BOOL), maker.values(main, "x"), maker.values(main, "y")
    maker.operator(main, OP.IF, [c, x], [y], ("IfOptions", {"thenSubgraphIndex": 1, "elseSubgraphIndex": 2}))
    main.inputs, main.outputs = [c, x], [y]
    for graph, code, options in zip(branches, (OP.ADD, OP.MUL), ("AddOptions", "MulOptions")):
        x, k, y = maker.values(graph, "x"), maker.values(graph, "k", (4,), maker.weights()), maker.values(graph, "y")
        maker.operator(graph, code, [x, k], [y], (options, {}))
        graph.inputs, graph.outputs = [x], [y]
    return maker


def loop(kind=F32, body_calls=2):
    """while (i < 6) x += w, i += 1; of w, which the loop passes on, a constant. Returns x + w and i."""
    maker = Subgraphs(kind, 3)
    main, condition, body = maker.graphs
    i, x, w = maker.number(main, "i"), maker.values(main, "x"), maker.values(main, "w", (4,), maker.weights())
    last, sum_, same, y = maker.number(main, "last"), maker.values(main, "sum"), maker.values(main, "same", (4,)), maker.values(main, "y")
    maker.operator(main, OP.WHILE, [i, x, w], [last, sum_, same], ("WhileOptions", {"condSubgraphIndex": 1, "bodySubgraphIndex": body_calls}))
    maker.operator(main, OP.ADD, [sum_, same], [y], ("AddOptions", {}))
    main.inputs, main.outputs = [i, x], [y, last]
    i, x, w = maker.number(condition, "i"), maker.values(condition, "x"), maker.values(condition, "w", (4,))
    goes_on = maker.tensor(condition, "on", (), BOOL)
    maker.operator(condition, OP.LESS, [i, maker.number(condition, "six", 6)], [goes_on], ("LessOptions", {}))
    condition.inputs, condition.outputs = [i, x, w], [goes_on]
    i, x, w = maker.number(body, "i"), maker.values(body, "x"), maker.values(body, "w", (4,))
    later, sum_ = maker.number(body, "later"), maker.values(body, "sum")
    maker.operator(body, OP.ADD, [i, maker.number(body, "one", 1)], [later], ("AddOptions", {}))
    maker.operator(body, OP.ADD, [x, w], [sum_], ("AddOptions", {}))
    body.inputs, body.outputs = [i, x, w], [later, sum_, w]
    return maker


def fibonacci():
    """while (all(a < 100)) a, b = b, a + b: what the body returns stands in other places than it came from."""
    maker = Subgraphs(I32, 3)
    main, condition, body = maker.graphs
    numbers = [maker.values(graph, name, (3,)) for graph in maker.graphs for name in ("a", "b")]
    outputs = [maker.values(main, name, (3,)) for name in ("c", "d")]
    maker.operator(main, OP.WHILE, numbers[:2], outputs, ("WhileOptions", {"condSubgraphIndex": 1, "bodySubgraphIndex": 2}))
    main.inputs, main.outputs = numbers[:2], outputs
    less, all_ = maker.tensor(condition, "less", (3,), BOOL), maker.tensor(condition, "all", (), BOOL)
    maker.operator(condition, OP.LESS, [numbers[2], maker.values(condition, "most", (3,), np.array([100] * 3, np.int32))], [less])
    maker.operator(condition, OP.REDUCE_ALL, [less, maker.values(condition, "axis", (1,), np.array([0], np.int32))], [all_],
                   ("ReducerOptions", {}))
    condition.inputs, condition.outputs = numbers[2:4], [all_]
    sum_ = maker.values(body, "sum", (3,))
    maker.operator(body, OP.ADD, numbers[4:], [sum_], ("AddOptions", {}))
    body.inputs, body.outputs = numbers[4:], [numbers[5], sum_]
    return maker


def subgraphs():
    for kind, tag in ((F32, "-f32"), (I8, "")):
        def x():
            return integers((2, 4), -128, 128, I8) if kind == I8 else reals(2, 4)
        for taken in (False, True):
            yield f"if-{int(taken)}{tag}", (choice(kind), [np.array([taken]), x()])
        for first in (0, 3, 6):
            yield f"while-{first}{tag}", (loop(kind), [np.array(first, np.int32), x()])
    yield "while-swap", (fibonacci(), [np.array([0, 1, 2], np.int32), np.array([1, 1, 3], np.int32)])


def detector(boxes=30, classes=4, most=8, regular=False, kind=F32, background=1, threshold=.3, per_class=100, labels=1, overlap=.5):
    """Codes of boxes in 8 bits have anchors of 8 bits."""
    maker = Maker()
    graph = maker.graph()
    real = kind == F32
    anchors = np.abs(random.normal(.5, .2, (boxes, 4))) * [1, 1, .4, .4] + .05
    codes = maker.tensor(graph, "boxes", (1, boxes, 4), kind, *((None, 0) if real else (0.05, 128)))
    scores = maker.tensor(graph, "scores", (1, boxes, classes + background), kind, *((None, 0) if real else (1 / 256, 0)))
    anchor = maker.tensor(graph, "anchors", (boxes, 4), kind, *((None, 0) if real else (1 / 128, 0)),
                          anchors.astype(np.float32) if real else np.clip(anchors * 128, 0, 255).astype(np.uint8))
    outputs = [maker.tensor(graph, f"y{i}", shape, F32) for i, shape in enumerate(((1, most, 4), (1, most), (1, most), (1,)))]
    maker.operator(graph, OP.CUSTOM, [codes, scores, anchor], outputs)
    maker.model.operatorCodes[-1].customCode = "TFLite_Detection_PostProcess"
    options = {"max_detections": most, "max_classes_per_detection": labels, "detections_per_class": per_class, "num_classes": classes,
               "use_regular_nms": regular, "nms_score_threshold": threshold, "nms_iou_threshold": overlap, "y_scale": 10.,
               "x_scale": 10., "h_scale": 5., "w_scale": 5.}
    graph.operators[-1].customOptions = list(flexbuffers.Dumps(options))
    graph.inputs, graph.outputs = [codes, scores], outputs
    if real:
        return maker, [reals(1, boxes, 4) / 2, np.round(random.uniform(0, 1, (1, boxes, classes + background)), 2).astype(np.float32)]
    return maker, [integers((1, boxes, 4), 100, 156, U8), integers((1, boxes, classes + background), 0, 256, U8)]


def detectors():
    """What the runtimes leave in outputs behind the last detection is no part of them: here all are found, or it is zero."""
    yield "detector-f32", detector()
    yield "detector-u8-f32", detector(kind=U8, background=0)
    yield "detector-one-f32", detector(boxes=40, classes=1, most=3, background=0)
    yield "detector-regular-f32", detector(regular=True)
    yield "detector-regular-few-f32", detector(boxes=9, most=20, regular=True, per_class=3, threshold=.8)
    yield "detector-regular-u8-f32", detector(kind=U8, regular=True, background=0, per_class=5)


def volumes():
    """Convolutions over three axes, of numbers whose sums are exact."""
    def eighths(*shape):
        return integers(shape, -16, 17).astype(np.float32) / 8
    for name, x, window, filters, strides, dilations, padding, activation in (
            ("same", (2, 5, 6, 7, 3), (3, 2, 3), 4, (1, 1, 1), (1, 1, 1), 0, 0), ("valid", (1, 5, 6, 7, 2), (2, 3, 1), 5, (1, 2, 3), (1, 1, 1), 1, 1),
            ("stride", (1, 6, 5, 9, 1), (3, 3, 3), 2, (2, 3, 2), (1, 1, 1), 0, 3), ("dilation", (1, 7, 8, 9, 2), (2, 2, 3), 3, (1, 1, 1), (2, 3, 2), 1, 0)):
        reach = [(kernel - 1) * by for kernel, by in zip(window, dilations)]
        out = [-(-extent // step) if padding == 0 else (extent - more - 1) // step + 1 for extent, step, more in zip(x[1:4], strides, reach)]
        fields = {"padding": padding, "fusedActivationFunction": activation}
        for axis, step, by in zip("DHW", strides, dilations):
            fields["stride" + axis], fields[f"dilation{axis}Factor"] = step, by
        bias = [constant(eighths(filters), F32)] if padding == 0 else []
        yield f"conv-3d-{name}", model(OP.CONV_3D, [eighths(*x), constant(eighths(*window, x[4], filters), F32), *bias],
                                       [((x[0], *out, filters), F32)], ("Conv3DOptions", fields))
        wide = (x[0], *x[1:4], filters)
        yield f"conv-3d-transpose-{name}", model(
            OP.CONV_3D_TRANSPOSE, [constant(wide, I32), constant(eighths(*window, filters, x[4]), F32), eighths(x[0], *out, x[4]), *bias],
            [(wide, F32)], ("Conv3DOptions", fields))


def suppressions():
    """Boxes that overlap, the scores of all different; corners stand in any order."""
    for name, count, most, limit, threshold, sigma in (
            ("v4", 30, 10, .4, .1, None), ("v4-few", 12, 20, .2, .5, None), ("v4-all", 6, 6, .9, -1., None), ("v5-hard", 30, 10, .4, .1, 0.),
            ("v5-soft", 30, 12, .8, .2, .4), ("v5-softer", 30, 30, 1., .05, .9), ("v4-none", 5, 4, .5, 9., None)):
        corners = random.uniform(0, 1, (count, 2)), random.uniform(0, 1, (count, 2))
        boxes = np.concatenate(corners, 1).astype(np.float32)
        if name == "v4-all":
            boxes[2, 2:] = boxes[2, :2]  # A box without area.
        scores = (random.permutation(count) / count).astype(np.float32)
        numbers = [constant(value, F32) for value in (limit, threshold, *([] if sigma is None else [sigma]))]
        outputs = [((most,), I32), *([] if sigma is None else [((most,), F32)]), ((), I32)]
        yield f"suppression-{name}-f32", model(OP.NON_MAX_SUPPRESSION_V4 if sigma is None else OP.NON_MAX_SUPPRESSION_V5,
                                               [boxes, scores, constant(most, I32), *numbers], outputs)
    boxes, scores = random.uniform(0, 1, (20, 4)).astype(np.float32), (random.permutation(20) / 20).astype(np.float32)
    yield "suppression-given-f32", model(OP.NON_MAX_SUPPRESSION_V5, [boxes, scores, constant(7, I32), *(
        np.array(value, np.float32) for value in (.6, .2, .5))], [((7,), I32), ((7,), F32), ((), I32)])


def spectrum(shape, lengths, reads, scale=.02):
    """What operators read of a transform of small numbers, whose errors are smaller."""
    maker = Maker()
    graph = maker.graph()
    x, (height, width) = maker.tensor(graph, "x", shape, F32), lengths
    y = maker.tensor(graph, "y", (*shape[:-2], height, width // 2 + 1), COMPLEX)
    maker.operator(graph, OP.RFFT2D, [x, put(maker, graph, "lengths", constant(lengths, I32))], [y], ("Rfft2dOptions", {}))
    graph.inputs, graph.outputs = [x], []
    for code in reads:
        graph.outputs.append(maker.tensor(graph, f"z{code}", graph.tensors[y].shape, F32))
        maker.operator(graph, code, [y], graph.outputs[-1:])
    return maker, [reals(*shape) * np.float32(scale)]


def spectra():
    yield "rfft-f32", spectrum((3, 2, 1, 64), (1, 64), (OP.REAL, OP.IMAG, OP.COMPLEX_ABS))
    yield "rfft-planes-f32", spectrum((2, 8, 16), (8, 16), (OP.IMAG, OP.REAL))
    yield "rfft-fitted-f32", spectrum((5, 21), (8, 16), (OP.REAL, OP.COMPLEX_ABS))
    yield "rfft-few-f32", spectrum((2, 2), (2, 2), (OP.REAL, OP.IMAG))
    yield "rfft-long-f32", spectrum((1, 500), (1, 512), (OP.COMPLEX_ABS,))


def refused():
    """Models with what is wrong in them."""
    x, four = reals(4), ((4,), F32)
    yield "unknown", model(OP.WHERE, [x], [((4, 1), I64)])[0], "operators that can't be imported: WHERE (1x)"
    yield "sign", model(OP.SIGN, [codes(integers((4,), 0, 9, I8))], [((4,), I8, *CODES)])[0], "takes floats or signed integers"
    yield "atan2", model(OP.ATAN2, [integers((4,), 0, 9)] * 2, [((4,), I32)])[0], "takes floats; of int32 it is not supported"
    yield "xor", model(OP.BITWISE_XOR, [x, x], [four])[0], "takes integers of one type that are not quantized"
    yield "bitcast", model(OP.BITCAST, [x], [((4,), I64)])[0], "its input and output must be numbers of as many bits"
    yield ("fake-quant", model(OP.FAKE_QUANT, [x], [four], ("FakeQuantOptions", {"min": 1., "max": 2., "numBits": 8}))[0],
           "a range with zero in it")
    yield ("fake-quant-narrow", model(OP.FAKE_QUANT, [x], [four], ("FakeQuantOptions", {"min": -1., "max": 2., "numBits": 8, "narrowRange": True}))[0],
           "has a narrow range")
    yield "response", model(OP.LOCAL_RESPONSE_NORMALIZATION, [integers((4,), 0, 9)], [((4,), I32)])[0], "takes floats of fixed extents"
    yield ("bucketize", model(OP.BUCKETIZE, [x], [((4,), I32)], ("BucketizeOptions", {"boundaries": [1., 0.]}))[0],
           "its boundaries are absent, more than 2^10, or not in ascending order")
    yield ("one-hot", model(OP.ONE_HOT, [integers((4,), 0, 3), constant(3, I32), constant(1, F32), constant(0, F32)], [((4, 3), F32)],
                            ("OneHotOptions", {"axis": 5}))[0], "its axis is none of its output's")
    for name, bounds in (("step", (0, 5, 0)), ("away", (0, 5, -1))):
        yield ("range-" + name, model(OP.RANGE, [constant(bound, I32) for bound in bounds], [((5,), I32)])[0],
               "its step is 0 or leads away from its limit")
    yield ("range-open", model(OP.RANGE, [constant(0, I32), np.array(5, np.int32), constant(1, I32)], [((5,), I32)])[0],
           "must be constants of one type")
    yield "topk", model(OP.TOPK_V2, [x, constant(5, I32)], [((5,), F32), ((5,), I32)])[0], "k must be one number, at most the extent"
    row = constant([[1], [9]], I32)
    yield ("scatter", model(OP.SCATTER_ND, [row, reals(2), constant([4], I32)], [four])[0],
           "index 9 (element 1 of the indices) is outside of the extent 4 that it reads or writes; the first is 0")
    yield ("scatter-shape", model(OP.SCATTER_ND, [integers((2, 1), 0, 3), reals(3), constant([4], I32)], [four])[0],
           "its updates do not have the extents of its indices and of what they index")
    yield ("sparse", model(OP.SPARSE_TO_DENSE, [integers((2,), 0, 3), constant([4, 4], I32), reals(2), constant(0, F32)], [((4, 4), F32)])[0],
           "has one number for each position in an output of 2 axes")
    yield ("segments", model(OP.SEGMENT_SUM, [x, constant([0, 0, 2, 2], I32)], [((3,), F32)])[0],
           "its segments are not a list of numbers from 0 on")
    yield ("segments-unsorted", model(OP.UNSORTED_SEGMENT_SUM, [x, integers((3,), 0, 2), constant(2, I32)], [((2,), F32)])[0],
           "its segments are not integers with the leading extents of its input")
    yield ("reverse", model(OP.REVERSE_SEQUENCE, [reals(2, 3), constant([1, 4], I32)], [((2, 3), F32)],
                            ("ReverseSequenceOptions", {"seqDim": 1, "batchDim": 0}))[0], "index 4 (element 1 of the indices)")
    for name, numbers, mask, message in (
            ("dots", ([0, 0], [0, 2], [1, 1]), {"ellipsisMask": 1}, "has an ellipsis that stands for no axis"),
            ("two-dots", ([0, 0], [0, 2], [1, 1]), {"ellipsisMask": 3}, "has more than one ellipsis"),
            ("stride", ([0], [2], [0]), {}, "has the stride 0; it must be"),
            ("outside", ([7], [8], [1]), {"shrinkAxisMask": 1}, "takes an element outside of axis 0"),
            ("many", ([0, 0], [1, 1], [1, 1]), {}, "or entries for more axes than its input has")):
        yield ("slice-" + name, model(OP.STRIDED_SLICE, [x, *(constant(values, I32) for values in numbers)], [four],
                                      ("StridedSliceOptions", mask))[0], message)
    yield ("slice-moving", model(OP.STRIDED_SLICE, [x, np.array([0], np.int32), constant([2], I32), constant([1], I32)], [((2,), F32)],
                                 ("StridedSliceOptions", {}))[0], "has bounds that the data holds; only starts of single elements may be")
    yield ("slice-open", model(OP.SLICE, [x, np.array([0], np.int32), constant([-1], I32)], [four])[0],
           "or up to its end from a start that the data holds")
    yield "diagonal", model(OP.MATRIX_SET_DIAG, [reals(3, 3), reals(2)], [((3, 3), F32)])[0], "do not have the extents of those of its matrices"
    text = model(OP.ADD, [codes(integers((4,), 0, 9, I8))] * 2, [((4,), STRING, *CODES)], ("AddOptions", {}))[0]
    yield "scaled-text", text, "its output 'y0' has the type string, which is not supported"
    yield "while-itself", loop(body_calls=0), "names a subgraph that the file does not have"
    endless = loop()
    endless.operator(endless.graphs[2], OP.WHILE, [0, 1, 2], [0, 1, 2], ("WhileOptions", {"condSubgraphIndex": 1, "bodySubgraphIndex": 2}))
    yield "while-endless", endless, "subgraphs run themselves, are nested more than 16 deep"
    scaled = choice(I8)
    scaled.graphs[1].tensors[0].quantization.scale = [0.03]
    yield "if-scale", scaled, "an input of its subgraph '' is a constant, or has another type, shape or scale"
    inner = choice()
    inner.operator(inner.graphs[2], OP.WHERE, [0], [1])
    inner.operator(inner.graphs[0], OP.UNIQUE, [1], [2])
    yield "inner-unknown", inner, "operators that can't be imported: UNIQUE (1x), WHERE (1x);"
    yield "detector-labels", detector(labels=2)[0], "gives a box several classes"
    yield "detector-overlap", detector(overlap=0.)[0], "an overlap that is not in (0, 1]"
    yield "detector-classes", detector(background=2)[0], "has scores of 6 columns for 4 classes"
    given = {"padding": 0, "strideD": 1, "strideH": 1, "strideW": 1}
    for name, extents, filters, options, message in (
            ("channels", (1, 4, 4, 4, 2), (2, 2, 2, 3, 5), given, "is for another number of channels"),
            ("stride", (1, 4, 4, 4, 2), (2, 2, 2, 2, 5), {"padding": 0}, "its strides or its dilations are not in"),
            ("window", (1, 4, 1, 4, 2), (2, 2, 2, 2, 5), dict(given, padding=1), "does not fit into its input"),
            ("rank", (4, 4, 4, 2), (2, 2, 2, 2, 5), given, "takes a volume [N, D, H, W, C]")):
        yield ("conv-3d-" + name, model(OP.CONV_3D, [reals(*extents), constant(reals(*filters), F32)], [((1, 4, 4, 4, 5), F32)],
                                        ("Conv3DOptions", options))[0], message)
    yield ("conv-3d-transpose", model(OP.CONV_3D_TRANSPOSE, [constant([1, 9, 4, 4, 5], I32), constant(reals(2, 2, 2, 5, 2), F32), reals(1, 4, 4, 4, 2)],
                                      [((1, 9, 4, 4, 5), F32)], ("Conv3DOptions", given))[0], "has the extent 9, which its input does not make")
    half = constant(.5, F32)
    for name, boxes, most, outputs, message in (
            ("boxes", reals(4, 3), constant(3, I32), 2, "takes boxes [n, 4] and scores [n] of floats"),
            ("most", reals(4, 4), np.array(3, np.int32), 2, "must be constant integers"),
            ("none", reals(4, 4), constant(0, I32), 2, "chooses up to 0 boxes"),
            ("outputs", reals(4, 4), constant(3, I32), 1, "has 1 outputs for 5 inputs")):
        yield ("suppression-" + name, model(OP.NON_MAX_SUPPRESSION_V4, [boxes, x, most, half, half], [((3,), I32), ((), I32)][:outputs])[0],
               message)
    yield ("suppression-sigma", model(OP.NON_MAX_SUPPRESSION_V5, [reals(4, 4), x, constant(3, I32), half, half, constant(-1, F32)],
                                      [((3,), I32), ((3,), F32), ((), I32)])[0], "its sigma is negative")
    wide = codes(integers((4,), -9, 9, I16), (.001, 0))
    yield ("hard-swish-wide", model(OP.HARD_SWISH, [wide], [((4,), I16, .001, 0)], ("HardSwishOptions", {}))[0],
           "is quantized, and of its rule (tflite.hard_swish), it is defined for codes of 8 bits; quantize the model again")
    yield ("logistic-wide", model(OP.LOGISTIC, [wide], [((4,), I16, .001, 0)])[0],
           "codes of 16 bits have the zero point 0 and an output of scale 2^-15")
    yield "complex-codes", model(OP.DEQUANTIZE, [codes(integers((4,), 0, 9, I8))], [((4,), COMPLEX)])[0], "has the type complex64, which is not"
    yield "rfft-length", spectrum((4, 12), (4, 12), (OP.REAL,))[0], "has the length 12, which is no power of two"
    shown = spectrum((4, 8), (4, 8), ())[0]
    shown.model.subgraphs[0].outputs = [1]
    yield "rfft-output", shown, "output 'y' is complex; give its parts"
    added = spectrum((4, 8), (4, 8), (OP.REAL,))[0]
    added.operator(added.model.subgraphs[0], OP.ADD, [1, 1], [3], ("AddOptions", {}))
    yield "rfft-added", added, "its input 'y' is complex; only REAL, IMAG and COMPLEX_ABS take such numbers"
    crossed = two_ways()
    crossed.model.subgraphs[0].operators[0].inputs[41] = 2
    yield "two-ways-crossed", crossed, "has weights for an auxiliary input, which are not supported"
    narrow = two_ways(merges=False)
    narrow.model.subgraphs[0].operators[0].outputs.pop()
    yield "two-ways-narrow", narrow, "gives the outputs of both directions apart and has one output"
    kept = basic()
    kept.model.subgraphs[0].tensors[2].isVariable = False
    kept.model.subgraphs[0].inputs.append(2)
    yield "basic-state", kept, "its states must be variables of the model"
    few = basic()
    few.model.subgraphs[0].operators[0].inputs.pop()
    yield "basic-few", few, "has the basic kernel, with which it has five inputs and four outputs"
    coded = step()
    coded.model.subgraphs[0].tensors[2].type = I8
    coded.model.subgraphs[0].tensors[2].shape = [24, 5]
    yield "step-codes", coded, "'w0' of int8, which is no matrix of codes with a scale"
    yield "rnn-units", plain(units=6, batch=3, inputs=4, wrong=1), "do not have the extents of its input and its units"
    wide = lstm(wide=True, hidden=(2.0 ** -15, 0))
    peepholes = wide.model.subgraphs[0]
    peepholes.operators[0].inputs[9:12] = [wide.tensor(peepholes, f"p{i}", (6,), I16, .0001, 0, integers((6,), 0, 9, I16)) for i in range(3)]
    yield "lstm-16-peepholes", wide, "has codes of int16 and peepholes"


def narrow_sums():
    """Layers of 16-bit codes whose bias, or an option where there is none, asks for sums of 32 bits."""
    def tensor(*shape, kind=I8, scale=.01):
        return constant(np.ones(shape), kind, scale, 0)
    x, row = codes(np.ones((1, 4, 4, 3), np.int16), (.001, 0)), codes(np.ones((2, 3), np.int16), (.001, 0))
    bias, extents, strides = tensor(5, kind=I32, scale=1e-5), constant([1, 4, 4, 5], I32), {"strideH": 1, "strideW": 1}
    image, rows = ((1, 4, 4, 5), I16, .002, 0), ((2, 5), I16, .002, 0)
    narrow = {"quantizedBiasType": I32}
    filters, matrix = tensor(5, 2, 2, 3), tensor(5, 3)
    one = codes(np.ones((1, 4, 4, 5), np.int16), (.001, 0))
    for name, code, operands, output, options in (
            ("conv", OP.CONV_2D, [x, filters, bias], image, ("Conv2DOptions", strides)),
            ("conv-groups", OP.CONV_2D, [codes(np.ones((1, 4, 4, 15), np.int16), (.001, 0)), filters, bias], image, ("Conv2DOptions", strides)),
            ("depthwise", OP.DEPTHWISE_CONV_2D, [one, tensor(1, 2, 2, 5), bias], image, ("DepthwiseConv2DOptions", dict(strides, depthMultiplier=1))),
            ("dense", OP.FULLY_CONNECTED, [row, matrix, bias], rows, ("FullyConnectedOptions", {})),
            ("transpose", OP.TRANSPOSE_CONV, [extents, filters, x, bias], image, ("TransposeConvOptions", strides))):
        yield "bias-" + name, model(code, operands, [output], options)[0], "has a bias of int32, which asks for sums of 32 bits"
    for name, code, operands, output, options in (
            ("conv", OP.CONV_2D, [x, filters], image, ("Conv2DOptions", dict(strides, **narrow))),
            ("dense", OP.FULLY_CONNECTED, [row, matrix, -1], rows, ("FullyConnectedOptions", narrow))):
        yield "sum-" + name, model(code, operands, [output], options)[0], "has no bias and the quantized_bias_type int32"


def outside():
    """Models whose runs fail on what they are given: places outside of a tensor."""
    def numbers(*values):
        return np.array(values, np.int32)
    rows, four = numbers(0, 1, 9, 2), constant([4], I32)
    yield "scatter", model(OP.SCATTER_ND, [rows[:, None], reals(4), four], [((4,), F32)])
    yield "scatter-negative", model(OP.SCATTER_ND, [numbers(0, 1, -1, 2)[:, None], reals(4), four], [((4,), F32)])
    yield "sparse", model(OP.SPARSE_TO_DENSE, [rows, four, reals(4), constant(0, F32)], [((4,), F32)])
    yield "segment", model(OP.UNSORTED_SEGMENT_SUM, [reals(4), rows, constant(4, I32)], [((4,), F32)])
    yield "reverse", model(OP.REVERSE_SEQUENCE, [reals(4, 3), rows], [((4, 3), F32)], ("ReverseSequenceOptions", {"seqDim": 1, "batchDim": 0}))
    yield "slice", model(OP.SLICE, [reals(4), numbers(3), constant([2], I32)], [((2,), F32)])
    yield "slice-one", model(OP.STRIDED_SLICE, [reals(4), numbers(-5), constant([0], I32), constant([1], I32)], [((), F32)],
                             ("StridedSliceOptions", {"shrinkAxisMask": 1}))


def run(data, given):
    """The reference kernels; the others where those lack the operator, or where only those have its meaning."""
    kinds = [OpResolverType.BUILTIN_REF, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES]
    code = tflite.Model.GetRootAs(data, 0).OperatorCodes(0).BuiltinCode()
    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=kinds[
        code in (OP.SEGMENT_SUM, OP.LOCAL_RESPONSE_NORMALIZATION)])
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), given):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def main():
    with archive(sys.argv[1]) as write:
        for family in (functions, resizes, places, slices, subgraphs, detectors, volumes, suppressions, spectra):
            for name, (maker, given) in family():
                data = maker.bytes()
                write(f"{name}/model.tflite", data)
                for i, array in enumerate(given):
                    write(f"{name}/in{i}.npy", array)
                for i, array in enumerate(run(data, given)):
                    write(f"{name}/out{i}.npy", array)
        for name, maker, message in itertools.chain(refused(), narrow_sums()):
            write(f"refused-{name}/model.tflite", maker.bytes())
            write(f"refused-{name}/error.txt", message.encode())
        for name, (maker, given) in outside():
            write(f"outside-{name}/model.tflite", maker.bytes())
            write(f"outside-{name}/error.txt", b"an index is outside of the data that it reads or writes")
            for i, array in enumerate(given):
                write(f"outside-{name}/in{i}.npy", array)


if __name__ == "__main__":
    main()
