# Finds Arrow and Parquet: an installed CMake package first, else the libraries that ship in the
# pinned pyarrow wheel (which has headers and shared libraries, but no CMake package).
# Provides Arrow::arrow and Arrow::parquet. PYARROW_DIR may name the wheel's folder.
find_package(Arrow CONFIG QUIET)
find_package(Parquet CONFIG QUIET)
if(TARGET Arrow::arrow_shared AND TARGET Parquet::parquet_shared)
  add_library(Arrow::arrow ALIAS Arrow::arrow_shared)
  add_library(Arrow::parquet ALIAS Parquet::parquet_shared)
  set(Arrow_FOUND TRUE)
  return()
endif()

if(NOT PYARROW_DIR)
  file(GLOB _candidates "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/pyarrow")
  list(LENGTH _candidates _count)
  if(_count GREATER 0)
    list(GET _candidates 0 PYARROW_DIR)
  endif()
endif()
file(GLOB _arrow_library "${PYARROW_DIR}/libarrow.so.*")
file(GLOB _parquet_library "${PYARROW_DIR}/libparquet.so.*")
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Arrow
  REQUIRED_VARS PYARROW_DIR _arrow_library _parquet_library
  REASON_FAILURE_MESSAGE "run ./dev setup, which installs the pinned pyarrow wheel into .venv")
if(Arrow_FOUND AND NOT TARGET Arrow::arrow)
  add_library(Arrow::arrow SHARED IMPORTED GLOBAL)
  set_target_properties(Arrow::arrow PROPERTIES IMPORTED_LOCATION "${_arrow_library}")
  target_include_directories(Arrow::arrow SYSTEM INTERFACE "${PYARROW_DIR}/include")
  # The wheel's libraries find each other beside themselves, not through the linker's search path.
  target_link_options(Arrow::arrow INTERFACE "-Wl,-rpath-link,${PYARROW_DIR}")
  add_library(Arrow::parquet SHARED IMPORTED GLOBAL)
  set_target_properties(Arrow::parquet PROPERTIES
    IMPORTED_LOCATION "${_parquet_library}" INTERFACE_LINK_LIBRARIES Arrow::arrow)
  # The wheel's Parquet carries an OpenSSL and exports 2,077 of its symbols. The system's comes ahead of
  # it in every program, so that libpq, libmariadb and gRPC get all of that one, and not some of each,
  # which crashes. Options stand before libraries, and a library that only others need is kept.
  find_package(OpenSSL REQUIRED)
  target_link_options(Arrow::parquet INTERFACE
    "SHELL:-Wl,--push-state,--no-as-needed ${OPENSSL_SSL_LIBRARY} ${OPENSSL_CRYPTO_LIBRARY} -Wl,--pop-state")
endif()
