using Hyperlight.Linux;
using Hyperlight.Linux.Interop;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>A virtual processor, the page of registers that it shares, and the memory for its extended state.</summary>
internal sealed unsafe partial class MshvVcpu
{
    private readonly MshvSystem _system;
    private readonly MshvVm _vm;
    private readonly FileDescriptorHandle _handle;
    private readonly MemoryMapHandle? _registerPage;
    private readonly XsaveMemory _xsave;

    private MshvVcpu(MshvSystem system, MshvVm vm, FileDescriptorHandle handle, MemoryMapHandle? registerPage, XsaveMemory xsave)
    {
        _system = system;
        _vm = vm;
        _handle = handle;
        _registerPage = registerPage;
        _xsave = xsave;
    }

    /// <summary>The page, if its content is valid now; null otherwise.</summary>
    // SAFETY: the mapping is a page, and larger than the structure.
    private HvVpRegisterPage* ValidPage
    {
        get
        {
            HvVpRegisterPage* page = _registerPage is null ? null : (HvVpRegisterPage*)_registerPage.DangerousGetHandle();
            return page is not null && Volatile.Read(ref page->IsValid) != 0 ? page : null;
        }
    }

    /// <summary>Makes a fresh virtual processor usable.</summary>
    /// <exception cref="HypervisorException">The kernel refused; the descriptor is the caller's to close.</exception>
    public static MshvVcpu Create(MshvSystem system, MshvVm vm, FileDescriptorHandle handle)
    {
        MemoryMapHandle? page = MapRegisterPage(system.Kernel, handle);
        try
        {
            return new MshvVcpu(system, vm, handle, page, AllocateXsave(system, handle));
        }
        catch
        {
            page?.Dispose();
            throw;
        }
    }

    /// <summary>Unmaps what is mapped and closes the virtual processor.</summary>
    public void Dispose(ref ReleaseFailures failures)
    {
        if (_registerPage is not null)
        {
            failures.Dispose(_registerPage);
        }

        failures.Dispose(_xsave.Pages);
        failures.Dispose(_handle);
    }

    /// <summary>Maps MSHV_VP_MMAP_OFFSET_REGISTERS, which is at the beginning.</summary>
    /// <returns>Null where the hypervisor does not have it: hypercalls do the same.</returns>
    private static MemoryMapHandle? MapRegisterPage(ILinuxKernel kernel, FileDescriptorHandle handle)
    {
        nint address = handle.Map(GuestPageSize, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED);
        return address switch
        {
            -Errno.ENODEV => null,
            < 0 and >= -4095 => throw MshvError.Create((int)address, "mmap of the register page"),
            _ => new MemoryMapHandle(kernel, address, GuestPageSize, parent: handle),
        };
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_handle.IsClosed, typeof(MshvVirtualMachine));
}
