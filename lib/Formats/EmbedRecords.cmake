# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes OUTPUT, a C++ file with the text of every FOLDER/*/format.mlir. Included by CMakeLists.txt; also a script:
#   cmake -DFOLDER=lib/Formats -DOUTPUT=Records.cpp -P lib/Formats/EmbedRecords.cmake
function(qtensor_embed_records folder output records)
  set(entries "")
  foreach(record IN LISTS records)
    file(READ ${folder}/${record} text)
    string(APPEND entries "    {\"lib/Formats/${record}\", R\"qtensor(${text})qtensor\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"// Generated from lib/Formats/*/format.mlir. Do not edit.
#include \"lib/Formats/Records.h\"
static const mlir::qtensor::RecordText records[] = {
@entries@};
llvm::ArrayRef<mlir::qtensor::RecordText> mlir::qtensor::getRecordTexts() { return records; }
")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  get_filename_component(FOLDER ${FOLDER} ABSOLUTE)
  file(GLOB found RELATIVE ${FOLDER} ${FOLDER}/*/format.mlir)
  list(SORT found)
  get_filename_component(OUTPUT ${OUTPUT} ABSOLUTE)
  set(CMAKE_CURRENT_BINARY_DIR ${FOLDER})
  qtensor_embed_records(${FOLDER} ${OUTPUT} "${found}")
endif()
