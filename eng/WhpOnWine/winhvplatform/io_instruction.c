#include "io_instruction.h"

enum
{
    OPERAND_SIZE = 0x66,
    ADDRESS_SIZE = 0x67,
    LOCK = 0xF0,
    REPNE = 0xF2,
    REP = 0xF3,
};

static bool is_prefix(UINT8 byte)
{
    bool is_rex = (byte & 0xF0) == 0x40, is_segment = (byte & 0xE7) == 0x26 || byte == 0x64 || byte == 0x65;
    return is_rex || is_segment || byte == OPERAND_SIZE || byte == ADDRESS_SIZE || byte == LOCK || byte == REPNE || byte == REP;
}

bool decode_io(const UINT8 *bytes, size_t count, struct io_instruction *instruction)
{
    size_t i = 0;
    bool is_short = false;
    *instruction = (struct io_instruction){ .length = 0 };
    for (; i < count && is_prefix(bytes[i]); i++)
    {
        is_short |= bytes[i] == OPERAND_SIZE;
        instruction->has_address_size |= bytes[i] == ADDRESS_SIZE;
        instruction->is_repeated |= bytes[i] == REP || bytes[i] == REPNE;
    }
    if (i >= count)
        return false;
    UINT8 opcode = bytes[i++];
    switch (opcode & 0xFE)
    {
    case 0xE4:
    case 0xE6:
        if (i >= count)
            return false;
        instruction->has_port = true;
        instruction->port = bytes[i++];
        break;
    case 0xEC:
    case 0xEE:
        break;
    case 0x6C:
    case 0x6E:
        instruction->is_string = true;
        break;
    default:
        return false;
    }
    instruction->is_repeated &= instruction->is_string;
    instruction->is_out = opcode & 2;
    instruction->size = !(opcode & 1) ? 1 : is_short ? 2 : 4;
    instruction->length = i;
    return i <= MAX_INSTRUCTION;
}
