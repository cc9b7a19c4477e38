/* From the text of a secret to the bytes of its key. */
#include "plan/secret.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"

static const char prefix[] = "whsec_";
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* OpenSSL is lenient about blanks around it, and counts what '=' stands for as bytes. */
bool secret_key(const char *text, struct secret_key *key) {
    unsigned char decoded[SECRET_MOST + 3];
    if (!text_starts(text, prefix)) return false;
    text += strlen(prefix);
    size_t length = strlen(text), plain = strspn(text, letters), padding = length - plain;
    bool shaped = length && length % 4 == 0 && padding <= 2 && strspn(text + plain, "=") == padding;
    if (!shaped || length / 4 * 3 > sizeof decoded) return false;
    if (EVP_DecodeBlock(decoded, (const unsigned char *)text, (int)length) < 0) return false;
    key->length = length / 4 * 3 - padding;
    if (key->length < SECRET_LEAST || key->length > SECRET_MOST) return false;
    memcpy(key->bytes, decoded, key->length);
    return true;
}
