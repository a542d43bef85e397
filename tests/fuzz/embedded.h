/* Python in a program of libFuzzer's, with the native module linked in. */
#ifndef CMS_RELAY_FUZZ_EMBEDDED_H
#define CMS_RELAY_FUZZ_EMBEDDED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Once. Hashes are the same in every run, so that an input does the same in every run. */
void start_python(void);

/* The object, or the end of the program where there is an exception in its place. */
PyObject *need(PyObject *object);

/* Say what is wrong with which text, and end so that libFuzzer keeps the input. */
_Noreturn void found_defect(const char *what, const char *text, size_t length);

#endif
