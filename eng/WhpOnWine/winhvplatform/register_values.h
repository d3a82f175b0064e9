#ifndef REGISTER_VALUES_H
#define REGISTER_VALUES_H

#include "register_names.h"

void get_value(struct register_batch *batch, const struct register_place *place, WHV_REGISTER_VALUE *value);
void set_value(struct register_batch *batch, const struct register_place *place, const WHV_REGISTER_VALUE *value);

// A segment as the platform has it, with the attributes of its descriptor.
WHV_X64_SEGMENT_REGISTER to_segment(const struct kvm_segment *segment);

#endif
