using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>Guest memory at virtual addresses, as the processor sees it.</summary>
internal sealed unsafe partial class MshvVcpu
{
    private const int PageShift = 12;

    /// <summary>Reads guest memory, as far as the guest's page tables and the mappings permit.</summary>
    /// <param name="address">Guest virtual address.</param>
    /// <param name="destination">Where the bytes go.</param>
    /// <param name="access">HV_TRANSLATE_GVA_VALIDATE_*: what the page tables have to permit.</param>
    /// <returns>How many bytes were read.</returns>
    /// <exception cref="HypervisorException">The kernel refused to translate an address.</exception>
    private int ReadGuestMemory(ulong address, Span<byte> destination, ulong access)
    {
        int done = 0;
        while (done < destination.Length)
        {
            ulong offset = address & (GuestPageSize - 1);
            int length = (int)Math.Min((ulong)(destination.Length - done), GuestPageSize - offset);
            if (!TryTranslate(address, access, out ulong page)
                || !_vm.TryRead((page << PageShift) | offset, destination.Slice(done, length)))
            {
                break;
            }

            done += length;
            address += (ulong)length;
        }

        return done;
    }

    /// <summary>HVCALL_TRANSLATE_VIRTUAL_ADDRESS.</summary>
    private bool TryTranslate(ulong address, ulong access, out ulong page)
    {
        // SAFETY: local structures of the call's types.
        HvInputTranslateVirtualAddress input = new() { ControlFlags = access, GvaPage = address >> PageShift };
        HvOutputTranslateVirtualAddress output = default;
        HypercallOutcome outcome = MshvHypercall.Call(
            _handle,
            HvCalls.HVCALL_TRANSLATE_VIRTUAL_ADDRESS,
            0,
            &input,
            sizeof(HvInputTranslateVirtualAddress),
            &output,
            sizeof(HvOutputTranslateVirtualAddress));
        if (!outcome.Succeeded && outcome.Status == HvCalls.HV_STATUS_SUCCESS)
        {
            // The kernel refused, not the hypervisor: that says nothing about the address.
            throw MshvError.Create(outcome, nameof(HvCalls.HVCALL_TRANSLATE_VIRTUAL_ADDRESS));
        }

        page = output.GpaPage;
        return outcome.Succeeded && output.TranslationResult == HvCalls.HV_TRANSLATE_GVA_SUCCESS;
    }
}
