/* A target of libFuzzer: calls a function of Python's with each input.

   CMS_RELAY_FUZZ names its module, whose `take` raises where it finds a defect. Lines of
   relay/ that Python runs count as coverage too, by the path that led to them. */
#include "embedded.h"

#include <frameobject.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTERS = 1 << 15, PATHS = COUNTERS - 1 };

/* libFuzzer looks at this section as it does at the counters of clang's. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t paths[COUNTERS];

static PyObject *take;
static uint32_t before;

/* The code that ran last: what a trace has to know of it, which takes long to ask for. */
static struct {
    PyCodeObject *code; /* compared only */
    uint32_t hash;
    bool is_ours;
} last;

static void look_at(PyCodeObject *code)
{
    const char *file = PyUnicode_AsUTF8(code->co_filename);
    last.code = code;
    last.is_ours = file != NULL && strstr(file, "/relay/") != NULL;
    last.hash = (uint32_t)PyObject_Hash(code->co_filename) +
                (uint32_t)code->co_firstlineno * UINT32_C(2654435761);
}

static void count_line(PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    if (code != last.code)
        look_at(code);
    Py_DECREF((PyObject *)code);
    if (!last.is_ours)
        return;
    uint32_t here = last.hash + (uint32_t)PyFrame_GetLasti(frame) * UINT32_C(40503);
    uint8_t *path = &paths[((here ^ before) >> 7) & PATHS];
    *path += *path < UINT8_MAX;
    before = here >> 1;
}

static int traced(PyObject *Py_UNUSED(self), PyFrameObject *frame, int what,
                  PyObject *Py_UNUSED(argument))
{
    if (what == PyTrace_LINE)
        count_line(frame);
    return 0;
}

int LLVMFuzzerInitialize(int *Py_UNUSED(count), char ***Py_UNUSED(words))
{
    start_python();
    const char *name = getenv("CMS_RELAY_FUZZ");
    if (name == NULL)
        found_defect("CMS_RELAY_FUZZ names no module", "", 0);
    PyObject *module = need(PyImport_ImportModule(name));
    take = need(PyObject_GetAttrString(module, "take"));
    Py_DECREF(module);
    PyEval_SetTrace(traced, NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    before = 0;
    PyObject *bytes = need(PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size));
    PyObject *none = PyObject_CallOneArg(take, bytes);
    if (none == NULL) {
        PyErr_Print();
        found_defect("the exception above came of", (const char *)data, size);
    }
    Py_DECREF(none);
    Py_DECREF(bytes);
    return 0;
}
