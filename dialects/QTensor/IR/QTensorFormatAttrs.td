// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layouts and formats: what a file or another library stores, as data. Included by QTensorAttrs.td.
#ifndef QTENSOR_FORMAT_ATTRS_TD
#define QTENSOR_FORMAT_ATTRS_TD

def QTensor_PieceAttr : QTensor_Attr<"Piece", "piece"> {
  let summary = "Where some bits of every element of a component are";
  let description = [{
    `4 : (i) -> (16 + (i mod 16) * 8)`: so many bits of element `i` at that bit address, little endian.
    `digit 3 of 5 : (i) -> (i mod 32, i floordiv 32)`: a digit of that radix; so many share the byte of the first
    result, and the second result is the digit's place, 0 the most significant. A byte holds
    ceil(v * 256 / radix^count) for the number v of its digits.
    `for 160 to 240` restricts either to a range of elements.
  }];
  let parameters = (ins "unsigned":$bits, "unsigned":$radix, "unsigned":$digits, "::mlir::AffineMap":$map,
                        "int64_t":$first, "int64_t":$end);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    static ::mlir::FailureOr<PieceAttr> parseBody(::mlir::AsmParser &parser);
    void printBody(::mlir::AsmPrinter &printer) const;
  }];
}

def QTensor_FieldAttr : QTensor_Attr<"Field", "field"> {
  let summary = "Where a component is: its pieces, from the least significant bits up";
  let description = [{
    `codes = [4 : (i) -> (...), 2 : (i) -> (...)]`, with `in "qweight"` when the layout has several arrays, `plus -1`
    when not the code but the code and that number is stored (modulo 2^bits), and `xor 8` for flipped bits.
  }];
  let parameters = (ins "::mlir::StringAttr":$component, "::mlir::StringAttr":$array, "int64_t":$plus,
                        "int64_t":$flip, ArrayRefParameter<"::mlir::qtensor::PieceAttr">:$pieces);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    static ::mlir::FailureOr<FieldAttr> parseBody(::mlir::AsmParser &parser);
    void printBody(::mlir::AsmPrinter &printer) const;
  }];
}

def QTensor_LayoutAttr : QTensor_Attr<"Layout", "layout"> {
  let summary = "Where the components of a tensor are in foreign bytes";
  let description = [{
    ```
    #qtensor.layout<[1, 32] in 18, scale = [16 : (i) -> (0)],
                    codes = [4 : (i) -> (16 + (i mod 16) * 8 + (i floordiv 16) * 4)]>
    ```
    The tensor is cut into records of [1, n] elements, row by row, of so many bytes. Maps take the number of the
    component's element in its record. With `whole` in place of the record, maps take the number of the element in the
    whole component, or its indices `(k, n)[K, N, b]` with the component's extents and the format's block size as
    symbols; each array is as long as its highest bit asks, in words of `word` bits.
  }];
  let parameters = (ins "int64_t":$recordLength, "int64_t":$recordBytes, "unsigned":$word,
                        ArrayRefParameter<"::mlir::qtensor::FieldAttr">:$fields);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool isWhole() const { return getRecordLength() == 0; }
    static ::mlir::FailureOr<LayoutAttr> parseBody(::mlir::AsmParser &parser);
    void printBody(::mlir::AsmPrinter &printer) const;
  }];
}

def QTensor_FormatAttr : QTensor_Attr<"Format", "format"> {
  let summary = "A named way to store a tensor: an encoding, its layout, its encoder, its names elsewhere";
  let description = [{
    ```
    #qtensor.format<block<int4, [1, 64], scale = f32>, layout = <whole, ...>, encoder = "absmax", sized, flat,
                    aliases = {ggml = 2}, summary = "...">
    ```
    The encoding is written for a matrix whose blocked dimension is the reduced one. `sized`: the block size may be
    given (`gptq/64`). `flat`: blocks run over the flattened tensor; they are blocks of rows where the shape allows it.
    `encoder`: a scale rule or reference encoder of lib/Formats. Everything but the encoding may be absent.
  }];
  let parameters = (ins "::mlir::qtensor::BlockAttr":$encoding, "::mlir::qtensor::LayoutAttr":$layout,
                        "::mlir::StringAttr":$encoder, "bool":$sized, "bool":$flat, "::mlir::DictionaryAttr":$aliases,
                        "::mlir::StringAttr":$summary);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // QTENSOR_FORMAT_ATTRS_TD
