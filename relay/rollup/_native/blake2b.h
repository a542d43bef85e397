/* BLAKE2b (RFC 7693) of one block at most, without a key: as hashlib's blake2b with
   digest_size=8. For members of sets, whose hash is the same in every process. */
#ifndef CMS_RELAY_BLAKE2B_H
#define CMS_RELAY_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

enum { BLAKE2B_BLOCK = 128 };

/* The digest as a number, most significant byte first. At most BLAKE2B_BLOCK bytes. */
uint64_t blake2b_8(const char *text, size_t length);

#endif
