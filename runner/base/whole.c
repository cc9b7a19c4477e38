/* Writing a file beside its place, then putting it there. */
#include "base/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool whole_put(int fd, const char *data, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t n = write(fd, data + done, length - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

const char *whole_write(struct arena *arena, const char *path, const char *data, size_t length, mode_t mode) {
    const char *beside = arena_printf(arena, "%s.new", path);
    struct stat there;
    if (lstat(path, &there) == 0 && !S_ISREG(there.st_mode)) return "it is there and is no regular file";
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode ? mode : 0666);
    if (fd < 0) return strerror(errno);
    bool good = (!mode || fchmod(fd, mode) == 0) && whole_put(fd, data, length);
    int why = errno;
    if (close(fd) < 0 && good) {
        good = false;
        why = errno;
    }
    if (good && rename(beside, path) == 0) return NULL;
    if (good) why = errno;
    unlink(beside);
    return strerror(why);
}
