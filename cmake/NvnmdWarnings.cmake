# Warnings are errors in our own sources; foreign headers come in as SYSTEM.
add_library(nvnmd_warnings INTERFACE)
target_compile_options(nvnmd_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
