using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Mshv;

/// <summary>The register page. Offsets are those of struct hv_vp_register_page.</summary>
internal sealed unsafe partial class SimulatedVp
{
    private const int IsValid = 2;
    private const int Dirty = 4;
    private const int FirstRegister = 8;
    private const int Rip = 136;
    private const int Rflags = 144;
    private const int PageBytes = 4096;
    private const int GeneralRegisterCount = 16;
    private const uint GeneralClass = 1 << 0;
    private const uint IpClass = 1 << 1;
    private const uint FlagsClass = 1 << 4;

    private nint _page;

    /// <summary>The owner has mapped the page, or unmapped it.</summary>
    public void MapRegisterPage(nint address)
    {
        _page = address;
        if (address != 0)
        {
            Page[0] = 1;
        }
    }

    private Span<byte> Page => new((void*)_page, _page == 0 ? 0 : PageBytes);

    /// <summary>The page says nothing any more. What was to be taken from it is lost.</summary>
    public void InvalidatePage()
    {
        if (_page != 0)
        {
            Page[IsValid] = 0;
            MemoryMarshal.Write(Page[Dirty..], 0U);
        }
    }

    /// <summary>Takes what is marked from the page. What is not marked is ignored.</summary>
    private void TakePage()
    {
        if (_page == 0 || Page[IsValid] == 0)
        {
            return;
        }

        uint dirty = MemoryMarshal.Read<uint>(Page[Dirty..]);
        if (dirty != 0)
        {
            using SimulatedRegisters registers = OpenRegisters();
            for (uint i = 0; i < GeneralRegisterCount && (dirty & GeneralClass) != 0; i++)
            {
                registers.TryWrite(SimulatedRegisters.FirstGeneral + i, Page.Slice(FirstRegister + ((int)i * 8), 16));
            }

            if ((dirty & IpClass) != 0)
            {
                registers.TryWrite(SimulatedRegisters.Rip, Page.Slice(Rip, 16));
            }

            if ((dirty & FlagsClass) != 0)
            {
                registers.TryWrite(SimulatedRegisters.Rflags, Page.Slice(Rflags, 16));
            }
        }

        InvalidatePage();
    }

    /// <summary>At an intercept the page holds the registers.</summary>
    private void FillPage(in GeneralRegisters registers)
    {
        if (_page == 0)
        {
            return;
        }

        ReadOnlySpan<ulong> values =
        [
            registers.Rax, registers.Rcx, registers.Rdx, registers.Rbx, registers.Rsp, registers.Rbp, registers.Rsi, registers.Rdi,
            registers.R8, registers.R9, registers.R10, registers.R11, registers.R12, registers.R13, registers.R14, registers.R15,
            registers.Rip, registers.Rflags,
        ];
        MemoryMarshal.AsBytes(values).CopyTo(Page[FirstRegister..]);
        MemoryMarshal.Write(Page[Dirty..], 0U);
        Page[IsValid] = 1;
    }
}
