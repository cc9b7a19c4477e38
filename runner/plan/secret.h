/* Secrets of Standard Webhooks: "whsec_" and base64 of 24 to 64 bytes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { SECRET_LEAST = 24, SECRET_MOST = 64 };

struct secret_key {
    unsigned char bytes[SECRET_MOST];
    size_t length;
};

/* False when the text is none. */
bool secret_key(const char *text, struct secret_key *);
