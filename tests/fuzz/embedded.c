/* See embedded.h. */
#include "embedded.h"

#include "sip.h"

#include <stdio.h>
#include <stdlib.h>

PyMODINIT_FUNC PyInit__native(void);

void start_python(void)
{
    sip_key[0] = 1;
    sip_key[1] = 2;
    if (PyImport_AppendInittab("relay.rollup._native", PyInit__native) < 0)
        abort();
    Py_InitializeEx(0);
    PyObject *native = need(PyImport_ImportModule("relay.rollup._native"));
    if (PyObject_HasAttrString(native, "__file__"))
        found_defect("this is a module of another build", "", 0);
    Py_DECREF(native);
}

PyObject *need(PyObject *object)
{
    if (object == NULL) {
        PyErr_Print();
        abort();
    }
    return object;
}

void found_defect(const char *what, const char *text, size_t length)
{
    fprintf(stderr, "DEFECT: %s: ", what);
    PyObject *bytes = PyBytes_FromStringAndSize(text, (Py_ssize_t)length);
    if (bytes != NULL)
        PyObject_Print(bytes, stderr, 0);
    fputc('\n', stderr);
    abort();
}
