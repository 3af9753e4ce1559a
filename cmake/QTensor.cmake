# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# How a room of the house is built. Link only the MLIR and LLVM dylibs: one static MLIR archive beside them gives
# two copies of every TypeID (see "Building" in the README).

find_package(MLIR CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
if(NOT MLIR_FOUND OR NOT LLVM_PACKAGE_VERSION MATCHES "^22")
  message(FATAL_ERROR "MLIR 22 was not found. On Debian 12 run `scripts/check` (it installs what is missing), or:\n"
    "  apt-get install llvm-22-dev libmlir-22-dev mlir-22-tools clang-22 lld-22 libprotobuf-dev protobuf-compiler libonnx-dev \n"
    "    libflatbuffers-dev flatbuffers-compiler")
endif()
set(MLIR_LINK_MLIR_DYLIB ON)
message(STATUS "MLIR ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}")
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF) # -fPIC below instead: tools share the precompiled header of the libraries
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELEASE "-O2")
find_program(QTENSOR_LLD NAMES ld.lld-22 ld.lld)
if(QTENSOR_LLD AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options(-fuse-ld=lld)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(LLVM_TOOL_DIR ${LLVM_TOOLS_BINARY_DIR})

find_program(QTENSOR_CCACHE ccache)
if(QTENSOR_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${QTENSOR_CCACHE})
  # A precompiled header is found by ccache only if it is told that time stamps do not matter.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${QTENSOR_CCACHE})
endif()

add_library(qtensor_options INTERFACE)
target_include_directories(qtensor_options INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR} ${PROJECT_BINARY_DIR}/include)
target_include_directories(qtensor_options SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_compile_definitions(qtensor_options INTERFACE ${LLVM_DEFINITIONS_LIST})
target_compile_options(qtensor_options INTERFACE -fPIC -Wall -Wextra -Wno-unused-parameter
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:Clang>>:-Xclang$<SEMICOLON>-fno-pch-timestamp>)
# The packages are built with NDEBUG and class layouts in their headers depend on it (llvm::Statistic): ours must match.
target_compile_definitions(qtensor_options INTERFACE NDEBUG)
if(QTENSOR_SANITIZE)
  target_compile_options(qtensor_options INTERFACE -fsanitize=address,undefined -fno-sanitize=vptr,function -fno-omit-frame-pointer)
  target_link_options(qtensor_options INTERFACE -fsanitize=address,undefined)
endif()
if(QTENSOR_FUZZ)
  # Needs the package libclang-rt-22-dev. LLVM's own code has no instrumentation: its containers look foreign.
  target_compile_options(qtensor_options INTERFACE -fsanitize=fuzzer-no-link,address -g1)
  target_link_options(qtensor_options INTERFACE -fsanitize=address)
endif()

# One precompiled header for all rooms: it holds what nearly every file of an MLIR project includes.
add_library(qtensor_pch OBJECT ${PROJECT_SOURCE_DIR}/cmake/Precompiled.cpp)
target_link_libraries(qtensor_pch PRIVATE qtensor_options)
target_precompile_headers(qtensor_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/Precompiled.h)

set_property(GLOBAL PROPERTY QTENSOR_LIBRARIES)
set_property(GLOBAL PROPERTY QTENSOR_TABLEGEN)
set_property(GLOBAL PROPERTY QTENSOR_REGISTRATIONS)
set_property(GLOBAL PROPERTY QTENSOR_TOOLS)

# qtensor_add_rooms(pattern...): adds every folder that matches and has a CMakeLists.txt. No hand list of rooms exists.
function(qtensor_add_rooms)
  foreach(pattern IN LISTS ARGN)
    file(GLOB rooms CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/${pattern}/CMakeLists.txt)
    list(SORT rooms)
    foreach(room IN LISTS rooms)
      get_filename_component(folder ${room} DIRECTORY)
      add_subdirectory(${folder})
    endforeach()
  endforeach()
endfunction()

# qtensor_tablegen(<td file> <output> <args> ...): one generated file per (output, args) pair, in this room's build folder.
function(qtensor_tablegen td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  set(rest ${ARGN})
  set(outputs)
  list(TRANSFORM MLIR_INCLUDE_DIRS PREPEND -I OUTPUT_VARIABLE includes)
  while(rest)
    list(POP_FRONT rest output args)
    separate_arguments(args)
    mlir_tablegen(${output} ${args} ${includes} -I${PROJECT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/include)
    list(APPEND outputs ${CMAKE_CURRENT_BINARY_DIR}/${output})
  endwhile()
  string(MAKE_C_IDENTIFIER "qtensor_gen_${CMAKE_CURRENT_SOURCE_DIR}_${td}" name)
  add_custom_target(${name} DEPENDS ${outputs})
  set_property(GLOBAL APPEND PROPERTY QTENSOR_TABLEGEN ${name})
endfunction()

# qtensor_add_library(<name> <sources>... [DEPENDS <our libraries>...] [LINK <others>...] [REGISTER <function>...] [NO_PCH])
# REGISTER names functions `void f(mlir::DialectRegistry &)` in namespace mlir::qtensor that registerAll() calls.
function(qtensor_add_library name)
  cmake_parse_arguments(ARG "NO_PCH" "" "DEPENDS;LINK;REGISTER" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC qtensor_options ${ARG_DEPENDS} ${ARG_LINK})
  if(NOT ARG_NO_PCH)
    target_precompile_headers(${name} REUSE_FROM qtensor_pch)
  endif()
  set_property(GLOBAL APPEND PROPERTY QTENSOR_LIBRARIES ${name})
  set_property(GLOBAL APPEND PROPERTY QTENSOR_REGISTRATIONS ${ARG_REGISTER})
endfunction()

# qtensor_add_tool(<name> <sources>... [DEPENDS <our libraries>...] [LINK <others>...]); DEPENDS ALL links every room.
function(qtensor_add_tool name)
  cmake_parse_arguments(ARG "NO_PCH" "" "DEPENDS;LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_property(TARGET ${name} PROPERTY QTENSOR_DEPENDS ${ARG_DEPENDS})
  target_link_libraries(${name} PRIVATE qtensor_options ${ARG_LINK})
  if(NOT ARG_NO_PCH)
    target_precompile_headers(${name} REUSE_FROM qtensor_pch)
  endif()
  set_property(GLOBAL APPEND PROPERTY QTENSOR_TOOLS ${name})
endfunction()

# qtensor_embed(<file> <name>): <name>.cpp in this room's build folder, with the file's bytes as <name> and <name>Size.
function(qtensor_embed file name)
  add_custom_command(OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp -DNAME=${name}
      -P ${PROJECT_SOURCE_DIR}/cmake/EmbedBytes.cmake
    DEPENDS ${file} ${PROJECT_SOURCE_DIR}/cmake/EmbedBytes.cmake VERBATIM)
endfunction()

# qtensor_embed_bitcode(<name> SOURCES <file>... HEADERS <file>... FLAGS <flag>...): C files of this room, compiled and linked to LLVM's
# bitcode, whose bytes are <name> as above.
function(qtensor_embed_bitcode name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;FLAGS" ${ARGN})
  find_program(QTENSOR_BITCODE_CLANG NAMES clang-22 clang REQUIRED)
  find_program(QTENSOR_LLVM_LINK NAMES llvm-link-22 llvm-link HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED)
  set(bitcodes)
  foreach(source IN LISTS arg_SOURCES)
    get_filename_component(stem ${source} NAME_WE)
    set(bitcode ${CMAKE_CURRENT_BINARY_DIR}/${name}-${stem}.bc)
    add_custom_command(OUTPUT ${bitcode}
      COMMAND ${QTENSOR_BITCODE_CLANG} -std=c11 -O2 -Wall -Wextra -Werror -fno-ident ${arg_FLAGS} -emit-llvm
        -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${bitcode}
      DEPENDS ${source} ${arg_HEADERS} COMMENT "Bitcode: ${source}" VERBATIM)
    list(APPEND bitcodes ${bitcode})
  endforeach()
  set(linked ${CMAKE_CURRENT_BINARY_DIR}/${name}.bc)
  add_custom_command(OUTPUT ${linked} COMMAND ${QTENSOR_LLVM_LINK} ${bitcodes} -o ${linked} DEPENDS ${bitcodes} VERBATIM)
  qtensor_embed(${linked} ${name})
endfunction()

# qtensor_add_watch_plugin(<target> <source>): plugins for the emulator that count instructions by the target's weights
# (lib/Measure): qtensor-watch-<target> for bundles, qtensor-count-<target> for other programs. They are loaded into a program
# of others: none of our options apply.
function(qtensor_add_watch_plugin target source)
  foreach(kind watch count)
    set(name qtensor-${kind}-${target})
    add_library(${name} MODULE ${PROJECT_SOURCE_DIR}/lib/Measure/Plugin/${kind}.c ${source})
    set_target_properties(${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_options(${name} PRIVATE -fPIC -O2 -Wall -Wextra)
  endforeach()
endfunction()

# Generates InitAll.cpp from what the rooms registered, and ties tablegen output and tools to the rooms.
function(qtensor_finish)
  get_property(libraries GLOBAL PROPERTY QTENSOR_LIBRARIES)
  get_property(tablegen GLOBAL PROPERTY QTENSOR_TABLEGEN)
  get_property(registrations GLOBAL PROPERTY QTENSOR_REGISTRATIONS)
  get_property(tools GLOBAL PROPERTY QTENSOR_TOOLS)
  set(declarations "")
  set(calls "")
  foreach(function IN LISTS registrations)
    string(APPEND declarations "void ${function}(DialectRegistry &registry);\n")
    string(APPEND calls "  ${function}(registry);\n")
  endforeach()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/InitAll.cpp @ONLY CONTENT
"// Generated from the rooms that exist. Do not edit.
#include \"qtensor/InitAll.h\"
namespace mlir::qtensor {
@declarations@
void registerAll(DialectRegistry &registry) {
@calls@}
} // namespace mlir::qtensor
")
  add_library(QTensorInitAll STATIC ${PROJECT_BINARY_DIR}/InitAll.cpp)
  target_link_libraries(QTensorInitAll PUBLIC qtensor_options)
  target_precompile_headers(QTensorInitAll REUSE_FROM qtensor_pch)
  foreach(target IN LISTS libraries tools)
    if(tablegen)
      add_dependencies(${target} ${tablegen})
    endif()
  endforeach()
  add_library(QTensorAll INTERFACE)
  target_link_libraries(QTensorAll INTERFACE
    -Wl,--start-group QTensorInitAll ${libraries} -Wl,--end-group MLIR LLVM)
  foreach(tool IN LISTS tools)
    get_target_property(depends ${tool} QTENSOR_DEPENDS)
    if(depends STREQUAL "ALL")
      target_link_libraries(${tool} PRIVATE QTensorAll)
    elseif(depends)
      target_link_libraries(${tool} PRIVATE ${depends} MLIR LLVM)
    endif()
  endforeach()
endfunction()
