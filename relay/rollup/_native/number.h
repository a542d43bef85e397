/* Numbers as StatsD writes them: correctly rounded, whatever the locale. */
#ifndef CMS_RELAY_NUMBER_H
#define CMS_RELAY_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Once, before any number is read; false without memory. */
bool number_setup(void);

/* Read digits with at most one dot among them, behind a minus where that is allowed.
   False for any other text, for a value of 1e200 or more and for very long texts: what is
   to become of those is not decided here. Needs no GIL. */
bool number_read(const char *text, size_t length, bool may_be_negative, double *value);

#endif
