#ifndef REGISTER_NAMES_H
#define REGISTER_NAMES_H

#include "register_batch.h"

// What a register's value looks like.
enum shape
{
    BITS_64,          // the lower 64 bits
    SEGMENT,
    TABLE,
    BITS_128,     // 128 bits
    FP_CONTROL,
    XMM_CONTROL,
    PENDING_INTERRUPTION,
    INTERRUPT_STATE,
    PENDING_EVENT,
    NOTHING,       // always zero
};

struct register_place
{
    enum part part;
    enum shape shape;
    void *value; // in the batch
};

// Where a register that is not a model-specific one is; false if the name is not known.
bool find_register(struct register_batch *batch, WHV_REGISTER_NAME name, struct register_place *place);

#endif
