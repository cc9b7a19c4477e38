/* Reads whole files that plans name. What is in them is for others to judge. */
#include "plan/file.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *file_path(struct arena *arena, const char *folder, const char *name) {
    bool alone = *name == '/' || text_equal(folder, ".");
    return alone ? name : arena_printf(arena, "%s%s%s", folder, text_equal(folder, "/") ? "" : "/", name);
}

bool file_read(struct arena *arena, struct file_text *file, const char **why) {
    FILE *stream = fopen(file->path, "re");
    if (!stream) {
        *why = arena_printf(arena, "cannot be opened: %s", strerror(errno));
        return false;
    }
    struct text text = text_new(arena);
    char piece[8192];
    size_t n;
    while (text.length <= FILE_MOST_BYTES && (n = fread(piece, 1, sizeof piece, stream)) > 0)
        text_add_n(&text, piece, n);
    int wrong = ferror(stream) ? errno : 0;
    fclose(stream);
    *why = wrong                           ? arena_printf(arena, "cannot be read: %s", strerror(wrong))
           : text.length > FILE_MOST_BYTES ? "is larger than 1 MB"
                                           : NULL;
    file->text = text.data;
    file->length = text.length;
    return !*why;
}

const char *file_fingerprint(struct arena *arena, const struct file_text *file) {
    enum { BYTES = 16 };
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    EVP_Digest(file->text, file->length, digest, NULL, EVP_sha256(), NULL);
    struct text digits = text_new(arena);
    for (size_t i = 0; i < BYTES; i++) text_addf(&digits, "%02x", digest[i]);
    return digits.data;
}
