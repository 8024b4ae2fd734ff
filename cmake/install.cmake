# SPDX-License-Identifier: MIT
# What a user of the library sees of it: which symbols, which flags, which files and where. A project that takes proact in
# by add_subdirectory or FetchContent gets the same targets and, unless it asks, none of the install rules.

set(exports_map ${CMAKE_CURRENT_LIST_DIR}/exports.map)
target_link_options(proact_shared PRIVATE LINKER:--version-script=${exports_map})
set_property(TARGET proact_shared APPEND PROPERTY LINK_DEPENDS ${exports_map})
target_compile_definitions(proact_shared INTERFACE PROACT_SHARED)

if(NOT PROACT_INSTALL)
    return()
endif()

set(cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/proact)
install(TARGETS proact_shared proact_static EXPORT proact
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/proact DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_CURRENT_LIST_DIR}/mingw-w64.cmake DESTINATION ${cmake_folder})

install(EXPORT proact NAMESPACE proact:: FILE proact-targets.cmake DESTINATION ${cmake_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/proact-config.cmake.in
    ${PROJECT_BINARY_DIR}/package/proact-config.cmake INSTALL_DESTINATION ${cmake_folder})
# Before 1.0 a new minor version may change the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/proact-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/proact-config.cmake ${PROJECT_BINARY_DIR}/package/proact-config-version.cmake
    DESTINATION ${cmake_folder})

# The .pc file finds its prefix from where it lies, so an installed tree may be moved.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
else()
    set(pc_libdir \${prefix}/${CMAKE_INSTALL_LIBDIR})
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
else()
    set(pc_includedir \${prefix}/${CMAKE_INSTALL_INCLUDEDIR})
endif()
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
if(WIN32)
    set(pc_private "-lws2_32 -lmswsock -lsynchronization -lntdll")
else()
    set(pc_private "-luring -pthread")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/proact.pc.in ${PROJECT_BINARY_DIR}/package/proact.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/proact.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
