// The types of the Windows Hypervisor Platform, from mingw-w64's header, which Wine does not have, and its error codes, which
// neither has.
#ifndef WHP_H
#define WHP_H

#include <stdarg.h>
#include <windef.h>
#include <winbase.h>
#include <winerror.h>

#define WINBOOL BOOL
#include <winhvplatformdefs.h>

#define WHV_E_UNKNOWN_CAPABILITY ((HRESULT)0x80370300)
#define WHV_E_INSUFFICIENT_BUFFER ((HRESULT)0x80370301)
#define WHV_E_UNKNOWN_PROPERTY ((HRESULT)0x80370302)
#define WHV_E_INVALID_PARTITION_CONFIG ((HRESULT)0x80370304)
#define WHV_E_GPA_RANGE_NOT_FOUND ((HRESULT)0x80370305)
#define WHV_E_VP_ALREADY_EXISTS ((HRESULT)0x80370306)
#define WHV_E_VP_DOES_NOT_EXIST ((HRESULT)0x80370307)
#define WHV_E_INVALID_VP_STATE ((HRESULT)0x80370308)
#define WHV_E_INVALID_VP_REGISTER_NAME ((HRESULT)0x80370309)

// The status of the hypervisor for a value that it does not take, and that of the driver of partitions for a process that has
// one with memory of the process already.
#define HV_E_INVALID_PARAMETER ((HRESULT)0xC0350005)
#define VID_E_PARTITION_ALREADY_EXISTS ((HRESULT)0xC0370008)

#endif
