/* The module relay.rollup._native: storage for slots, a table of spellings, a roster, a
   drain. What they are for is told in native.py. */
#include "again.h"
#include "bins.h"
#include "drain.h"
#include "held.h"
#include "members.h"
#include "number.h"
#include "reported.h"
#include "roster.h"
#include "shards.h"
#include "slots.h"
#include "table.h"

static int native_exec(PyObject *module)
{
    if (!number_setup()) {
        PyErr_NoMemory();
        return -1;
    }
    if (slots_setup(module) < 0 || bins_setup(module) < 0 || members_setup(module) < 0 ||
        table_setup(module) < 0 || held_setup(module) < 0 || roster_setup(module) < 0 ||
        reported_setup(module) < 0 || shards_setup(module) < 0 || again_setup(module) < 0)
        return -1;
    return drain_setup(module);
}

static PyModuleDef_Slot native_slots[] = {
    {Py_mod_exec, native_exec},
    {0, NULL},
};

static PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "Lines to slots without Python: see relay.rollup.native.",
    .m_slots = native_slots,
};

PyMODINIT_FUNC PyInit__native(void);

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
