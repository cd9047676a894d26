#include "base/file.h"

#include "base/clock.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_CHUNK_BYTES ((size_t)1 << 16)
#define REMOVE_FDS       16 /* directories that nftw() holds open at once */

/* Open to read; `*bytes` is its size when it is a regular file, else -1. */
static clv_status open_input(const char *path, int *fd, int64_t *bytes, clv_error *err)
{
    CLV_AUTO(clv_fd_close) int opened = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (opened < 0 || fstat(opened, &st) != 0) return clv_fail_errno(err, "'%s'", path);
    if (S_ISDIR(st.st_mode))
        return clv_fail(err, CLV_EINVAL, "'%s' is a directory, a file is wanted", path);
    *bytes = S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
    *fd = opened;
    opened = -1;
    return CLV_OK;
}

clv_status clv_map_open(const char *path, clv_map *map, clv_error *err)
{
    CLV_AUTO(clv_fd_close) int fd = -1;
    int64_t bytes = -1;
    clv_status status = open_input(path, &fd, &bytes, err);
    if (status) return status;
    if (bytes < 0)
        return clv_fail(err, CLV_EINVAL, "'%s' cannot be mapped: it is not a regular file", path);
    if (bytes == 0) {
        *map = (clv_map){0};
        return CLV_OK;
    }
    void *data = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) return clv_fail_errno(err, "'%s'", path);
    *map = (clv_map){.data = data, .bytes = (size_t)bytes};
    return CLV_OK;
}

void clv_map_done(clv_map *map)
{
    if (map->data) munmap(clv_steal_pointer(&map->data), map->bytes);
    *map = (clv_map){0};
}

static clv_status too_long(const char *path, size_t limit_bytes, clv_error *err)
{
    return clv_fail(err, CLV_ELIMIT, "'%s' is longer than the limit of %zu bytes", path,
                    limit_bytes);
}

static clv_status read_all(int fd, const char *path, size_t limit_bytes, clv_buf *out,
                           clv_error *err)
{
    size_t start = out->len;
    while (true) {
        size_t left = limit_bytes - (out->len - start);
        size_t want = left < READ_CHUNK_BYTES ? left + 1 : READ_CHUNK_BYTES; /* one more tells */
        clv_buf_reserve(out, want);
        ssize_t n = read(fd, out->data + out->len, want);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return clv_fail_errno(err, "'%s'", path);
        if (n == 0) break;
        if ((size_t)n > left) return too_long(path, limit_bytes, err);
        out->len += (size_t)n;
    }
    return CLV_OK;
}

clv_status clv_file_read(const char *path, size_t limit_bytes, clv_buf *out, clv_error *err)
{
    CLV_AUTO(clv_fd_close) int opened = -1;
    int fd = STDIN_FILENO;
    int64_t bytes = -1;
    if (strcmp(path, "-") != 0) {
        clv_status status = open_input(path, &opened, &bytes, err);
        if (status) return status;
        fd = opened;
    }
    if (bytes > 0 && (uint64_t)bytes > limit_bytes) return too_long(path, limit_bytes, err);
    if (bytes > 0) clv_buf_reserve(out, (size_t)bytes + 1);
    size_t before = out->len;
    clv_status status = read_all(fd, path, limit_bytes, out, err);
    if (status) out->len = before;
    if (out->data) out->data[out->len] = 0;
    return status;
}

static clv_status write_all(int fd, const char *path, const char *data, size_t bytes,
                            clv_error *err)
{
    while (bytes) {
        ssize_t n = write(fd, data, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return clv_fail_errno(err, "'%s'", path);
        data += n;
        bytes -= (size_t)n;
    }
    return CLV_OK;
}

/* Best effort: makes the new name survive a power cut. */
static void sync_dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    CLV_AUTO(clv_text_free)
    char *dir = !slash ? clv_strdup(".") : clv_strndup(path, (size_t)(slash - path) + 1);
    CLV_AUTO(clv_fd_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) fsync(fd);
}

static clv_status replace(const char *path, const void *data, size_t bytes, clv_error *err)
{
    CLV_AUTO(clv_text_free)
    char *beside =
        clv_format("%s.%ld-%llx.tmp", path, (long)getpid(), (unsigned long long)clv_now_ns());
    CLV_AUTO(clv_fd_close) int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return clv_fail_errno(err, "'%s' cannot be written", path);
    clv_status status = write_all(fd, path, data, bytes, err);
    if (!status && (fsync(fd) != 0 || rename(beside, path) != 0))
        status = clv_fail_errno(err, "'%s' cannot be written", path);
    if (status)
        unlink(beside);
    else
        sync_dir_of(path);
    return status;
}

clv_status clv_file_write(const char *path, const void *data, size_t bytes, clv_error *err)
{
    if (strcmp(path, "-") == 0) {
        fflush(stdout);
        return write_all(STDOUT_FILENO, "standard output", data, bytes, err);
    }
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode))
        return clv_fail(err, CLV_EINVAL, "'%s' is a directory, a file is wanted", path);
    if (there && !S_ISREG(st.st_mode)) { /* a pipe or /dev/null is written, never replaced */
        CLV_AUTO(clv_fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) return clv_fail_errno(err, "'%s' cannot be written", path);
        return write_all(fd, path, data, bytes, err);
    }
    /* A link keeps pointing where it points: what it names is replaced. */
    CLV_AUTO(clv_text_free) char *real = there ? realpath(path, NULL) : NULL;
    return replace(real ? real : path, data, bytes, err);
}

clv_status clv_dir_make(const char *path, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *part = clv_strdup(path);
    for (char *at = part; *at; at++) {
        if (*at != '/' || at == part) continue;
        *at = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return clv_fail_errno(err, "directory '%s' cannot be made", part);
        *at = '/';
    }
    if (mkdir(path, 0777) == 0) return CLV_OK;
    int code = errno;
    struct stat st;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode)) return CLV_OK;
        return clv_fail(err, CLV_EEXIST, "'%s' is not a directory", path);
    }
    errno = code;
    return clv_fail_errno(err, "directory '%s' cannot be made", path);
}

clv_status clv_dir_temp(const char *prefix, char **path, clv_error *err)
{
    const char *base = getenv("TMPDIR");
    CLV_AUTO(clv_text_free)
    char *name = clv_format("%s/%s-XXXXXX", base && *base ? base : "/tmp", prefix);
    if (!mkdtemp(name)) return clv_fail_errno(err, "directory '%s' cannot be made", name);
    *path = clv_steal(&name);
    return CLV_OK;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    remove(path); /* what cannot be removed stays: the caller asked for best effort */
    return 0;
}

void clv_dir_remove(const char *path)
{
    nftw(path, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

bool clv_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *clv_path_join(const char *dir, const char *name)
{
    if (!*dir || name[0] == '/') return clv_strdup(name);
    size_t n = strlen(dir);
    return clv_format("%s%s%s", dir, dir[n - 1] == '/' ? "" : "/", name);
}
