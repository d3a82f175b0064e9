#ifndef IO_INSTRUCTION_H
#define IO_INSTRUCTION_H

#include "partition.h"

#define MAX_INSTRUCTION 15

struct io_instruction
{
    UINT8 length;
    UINT8 size; // of an element: 1, 2 or 4
    bool is_out, is_string, is_repeated;
    bool has_address_size; // the prefix 0x67
    bool has_port; // in the instruction; otherwise it is in DX
    UINT8 port;
};

// Decodes IN, OUT, INS or OUTS; false for others.
bool decode_io(const UINT8 *bytes, size_t count, struct io_instruction *instruction);

#endif
