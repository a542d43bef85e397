/* SipHash-1-3 (Aumasson and Bernstein, INDOCRYPT 2012) over texts and their lengths, with
   a key that is drawn once a process: no sender can choose texts that collide. */
#ifndef CMS_RELAY_SIP_H
#define CMS_RELAY_SIP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

extern uint64_t sip_key[2];

typedef struct {
    uint64_t a, b, c, d;
} Sip;

static inline uint64_t sip_turn(uint64_t word, int bits)
{
    return (word << bits) | (word >> (64 - bits));
}

static inline void sip_round(Sip *sip)
{
    sip->a += sip->b;
    sip->b = sip_turn(sip->b, 13) ^ sip->a;
    sip->a = sip_turn(sip->a, 32);
    sip->c += sip->d;
    sip->d = sip_turn(sip->d, 16) ^ sip->c;
    sip->a += sip->d;
    sip->d = sip_turn(sip->d, 21) ^ sip->a;
    sip->c += sip->b;
    sip->b = sip_turn(sip->b, 17) ^ sip->c;
    sip->c = sip_turn(sip->c, 32);
}

static inline Sip sip_start(void)
{
    return (Sip){
        .a = sip_key[0] ^ UINT64_C(0x736f6d6570736575),
        .b = sip_key[1] ^ UINT64_C(0x646f72616e646f6d),
        .c = sip_key[0] ^ UINT64_C(0x6c7967656e657261),
        .d = sip_key[1] ^ UINT64_C(0x7465646279746573),
    };
}

static inline void sip_word(Sip *sip, uint64_t word)
{
    sip->d ^= word;
    sip_round(sip);
    sip->a ^= word;
}

/* The words of a text; with its length they tell it from every other one. */
static inline void sip_text(Sip *sip, const char *text, size_t length)
{
    uint64_t word;
    size_t at = 0;
    for (; at + 8 <= length; at += 8) {
        memcpy(&word, text + at, 8);
        sip_word(sip, word);
    }
    if (at == length)
        return;
    if (length >= 8) {
        memcpy(&word, text + length - 8, 8);
    } else {
        word = 0;
        for (; at < length; at++)
            word = word << 8 | (unsigned char)text[at];
    }
    sip_word(sip, word);
}

static inline uint64_t sip_end(Sip *sip, uint64_t lengths)
{
    sip_word(sip, lengths);
    sip->c ^= 0xff;
    sip_round(sip);
    sip_round(sip);
    sip_round(sip);
    return sip->a ^ sip->b ^ sip->c ^ sip->d;
}

#endif
