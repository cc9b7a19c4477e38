/* Walks over SQL text token by token. Owns nothing; leaves the place in the file to decode.c. */
#include "plan/sqlscan.h"

#include <string.h>

enum { DEEPEST = 256 };

struct scanner {
    const char *text;
    size_t at;
    struct sql_scan result;
    size_t open[DEEPEST]; /* offsets of brackets still open */
    int depth;
    bool tokens; /* something that is no comment */
};

static void flaw(struct scanner *s, size_t offset, const char *what, const char *hint) {
    if (s->result.flaw) return;
    s->result.flaw = what;
    s->result.hint = hint;
    s->result.offset = offset;
}

static bool word_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool digit(char c) { return c >= '0' && c <= '9'; }

static bool word_part(char c) { return word_start(c) || digit(c) || c == '$'; }

/* A doubled quote stays inside; a backslash escapes in E'' only. */
static void quote(struct scanner *s, char mark, bool escapes) {
    size_t start = s->at++;
    for (; s->text[s->at]; s->at++) {
        if (escapes && s->text[s->at] == '\\' && s->text[s->at + 1])
            s->at++;
        else if (s->text[s->at] == mark && s->text[s->at + 1] == mark)
            s->at++;
        else if (s->text[s->at] == mark) {
            s->at++;
            return;
        }
    }
    flaw(s, start, mark == '"' ? "the double quote is never closed" : "the quote is never closed",
         "a quote inside is written twice");
}

static void word(struct scanner *s) {
    size_t start = s->at;
    while (word_part(s->text[s->at])) s->at++;
    bool e = s->at - start == 1 && (s->text[start] == 'e' || s->text[start] == 'E');
    if (s->text[s->at] == '\'') quote(s, '\'', e);
}

static void dollar(struct scanner *s) {
    size_t start = s->at, tag = s->at + 1;
    if (digit(s->text[tag])) {
        flaw(s, start, "parameters like $1 are not for plans", "${NAME} is a variable of the plan");
        s->at = tag;
        return;
    }
    if (word_start(s->text[tag]))
        while (word_part(s->text[tag]) && s->text[tag] != '$') tag++;
    if (s->text[tag] != '$') {
        s->at++;
        return;
    }
    size_t length = tag + 1 - start;
    for (const char *end = s->text + tag + 1; (end = strchr(end, '$')); end++)
        if (strncmp(end, s->text + start, length) == 0) {
            s->at = (size_t)(end - s->text) + length;
            return;
        }
    flaw(s, start, "the dollar quote is never closed", NULL);
    s->at = strlen(s->text);
}

static void block_comment(struct scanner *s) {
    size_t start = s->at, depth = 1;
    for (s->at += 2; depth && s->text[s->at]; s->at++) {
        bool opens = s->text[s->at] == '/' && s->text[s->at + 1] == '*';
        bool closes = s->text[s->at] == '*' && s->text[s->at + 1] == '/';
        if (!opens && !closes) continue;
        depth += opens ? 1 : (size_t)-1;
        s->at++;
    }
    if (depth) flaw(s, start, "the comment is never closed", "comments nest: every /* needs its */");
}

static void line_comment(struct scanner *s) {
    if (!s->result.line_comment) s->result.comment_offset = s->at;
    s->result.line_comment = true;
    size_t start = s->at;
    s->at += strcspn(s->text + s->at, "\r\n");
    if (!s->text[s->at])
        flaw(s, start, "a -- comment at the end would swallow what follows", "write it as /* ... */ or leave it out");
}

static void bracket(struct scanner *s) {
    char c = s->text[s->at];
    if (c == '(' || c == '[') {
        if (s->depth == DEEPEST)
            flaw(s, s->at, "brackets are nested too deeply", NULL);
        else
            s->open[s->depth++] = s->at;
    } else if (!s->depth) {
        flaw(s, s->at, c == ')' ? "')' closes nothing" : "']' closes nothing", NULL);
    } else {
        char opened = s->text[s->open[--s->depth]];
        if ((opened == '(') != (c == ')')) flaw(s, s->at, c == ')' ? "')' closes a '['" : "']' closes a '('", NULL);
    }
    s->at++;
}

static void token(struct scanner *s) {
    const char *at = s->text + s->at;
    if (word_start(*at) || digit(*at))
        word(s);
    else if (*at == '\'' || *at == '"')
        quote(s, *at, false);
    else if (*at == '$')
        dollar(s);
    else if (strchr("()[]", *at))
        bracket(s);
    else {
        if (*at == ';' && !s->depth) flaw(s, s->at, "';' ends the statement: only one goes here", "leave the ';' out");
        s->at++;
    }
    s->tokens = true;
}

struct sql_scan sql_scan(const char *text) {
    struct scanner s = {.text = text};
    while (text[s.at] && !s.result.flaw) {
        if (strncmp(text + s.at, "--", 2) == 0)
            line_comment(&s);
        else if (strncmp(text + s.at, "/*", 2) == 0)
            block_comment(&s);
        else if (strchr(" \t\r\n\f\v", text[s.at]))
            s.at++;
        else
            token(&s);
    }
    if (s.depth && !s.result.flaw) {
        size_t open = s.open[s.depth - 1];
        flaw(&s, open, text[open] == '(' ? "'(' is never closed" : "'[' is never closed", NULL);
    }
    if (!s.tokens) flaw(&s, 0, "there is no SQL in it", NULL);
    return s.result;
}
