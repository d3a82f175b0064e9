// SPDX-License-Identifier: Apache-2.0

#include "datagram.h"

#include "errors.h"
#include "kernel_pages.h"
#include "sockets.h"

#include <string.h>

#define ADDRESS_SIZE 16U

struct datagram {
    // Without a size, if it is not connected.
    struct socket_name peer;
};

static struct pool pool;

void datagrams_start(void)
{
    pool = (struct pool){ .size = (sizeof(struct datagram) + 7) & ~7UL };
}

static int64_t refuse(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)file;
    (void)buffer;
    (void)position;
    return -EACCES;
}

static uint32_t poll(struct file *file)
{
    (void)file;
    return POLLOUT;
}

static void release(struct file *file)
{
    pool_free(&pool, file->object);
}

static int64_t shut(struct file *file, bool in, bool out)
{
    const struct datagram *datagram = file->object;
    (void)in;
    (void)out;
    return datagram->peer.size != 0 ? 0 : -ENOTCONN;
}

// Its own name is the family alone.
static int64_t name(struct file *file, bool is_peer, struct socket_name *name)
{
    const struct datagram *datagram = file->object;
    const uint16_t family = AF_INET;
    if (is_peer) {
        *name = datagram->peer;
        return datagram->peer.size != 0 ? 0 : -ENOTCONN;
    }
    memcpy(name->bytes, &family, sizeof family);
    name->size = ADDRESS_SIZE;
    return 0;
}

static int64_t get_option(struct file *file, uint32_t level, uint32_t option, uint8_t value[MOST_OPTION])
{
    uint32_t number = 0;
    (void)file;
    switch (level == SOL_SOCKET ? option : 0) {
    case SO_TYPE:
        number = SOCK_DGRAM;
        break;
    case SO_DOMAIN:
        number = AF_INET;
        break;
    case SO_PROTOCOL:
        number = IPPROTO_UDP;
        break;
    case SO_ERROR:
        break;
    default:
        return -ENOPROTOOPT;
    }
    memcpy(value, &number, sizeof number);
    return sizeof number;
}

static int64_t connect(struct file *file, uint64_t address, uint32_t size)
{
    struct datagram *datagram = file->object;
    struct socket_name peer;
    int64_t error = socket_take_name(address, size, &peer);
    if (error == 0 && socket_family(&peer) == AF_UNSPEC) {
        peer.size = 0;
    } else if (error == 0) {
        error = socket_check_name(AF_INET, &peer);
    }
    if (error == 0) {
        datagram->peer = peer;
    }
    return error;
}

static const struct socket_operations socket_operations = {
    .refusal = -EACCES,
    .shut = shut,
    .name = name,
    .get_option = get_option,
    .connect = connect,
};

static const struct file_operations operations = {
    .read = refuse,
    .write = refuse,
    .status = socket_status,
    .poll = poll,
    .release = release,
    .socket = &socket_operations,
};

struct file *datagram_create(uint32_t flags)
{
    struct datagram *datagram = pool_allocate(&pool);
    struct file *file = datagram != NULL ? file_create(&operations, O_RDWR | flags) : NULL;
    if (file == NULL && datagram != NULL) {
        pool_free(&pool, datagram);
    } else if (file != NULL) {
        file->object = datagram;
    }
    return file;
}
