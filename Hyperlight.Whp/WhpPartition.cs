using System.Runtime.InteropServices;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>A partition with one virtual processor: its creation, its cancellation, its end.</summary>
internal sealed unsafe partial class WhpPartition
{
    /// <summary>The number of the virtual processor.</summary>
    public const uint Vp = 0;

    private readonly WhpSystem _system;
    private readonly PartitionHandle _handle;
    private readonly Surrogate? _surrogate;

    /// <summary>Of memory that was released when it was unmapped, for <see cref="Dispose"/> to report.</summary>
    private ReleaseFailures _earlierFailures;

    private WhpPartition(WhpSystem system, PartitionHandle handle, Surrogate? surrogate)
    {
        _system = system;
        _handle = handle;
        _surrogate = surrogate;
    }

    /// <summary>The functions of the platform.</summary>
    public IWinHv WinHv => _system.WinHv;

    /// <summary>The partition, for calls of the thread that uses the machine.</summary>
    /// <exception cref="ObjectDisposedException">The machine is gone.</exception>
    public nint Value
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, typeof(WhpVirtualMachine));
            return _handle.DangerousGetHandle();
        }
    }

    /// <summary>The error to report if the process that hosts the guest's memory has ended; <see langword="null"/> otherwise.</summary>
    public HypervisorException? SurrogateFailure => _surrogate is { HasEnded: true } ? _surrogate.Ended() : null;

    /// <summary>Creates a partition and its processor, and takes a process that hosts its memory.</summary>
    /// <exception cref="HypervisorException">The platform refused; nothing is left behind.</exception>
    public static WhpPartition Create(WhpSystem system, byte physicalAddressBits)
    {
        // The place of the one machine first: what is refused costs nothing then.
        if (system.Surrogates is null)
        {
            system.SoleMachine.Claim();
        }

        PartitionHandle handle;
        try
        {
            // SAFETY: a local of the function's type.
            nint partition;
            WhpError.Check(system.WinHv.CreatePartition(&partition), nameof(WinHvPlatform.WHvCreatePartition));
            handle = new PartitionHandle(system.WinHv, partition);
        }
        catch
        {
            if (system.Surrogates is null)
            {
                system.SoleMachine.Release();
            }

            throw;
        }

        try
        {
            if (system.Surrogates is null)
            {
                handle.Afterwards(system.SoleMachine.Release);
            }

            SetProperties(system, handle, physicalAddressBits);
            WhpError.Check(system.WinHv.SetupPartition(handle.DangerousGetHandle()), nameof(WinHvPlatform.WHvSetupPartition));
            WhpError.Check(
                system.WinHv.CreateVirtualProcessor(handle.DangerousGetHandle(), Vp, flags: 0),
                nameof(WinHvPlatform.WHvCreateVirtualProcessor));
            return new WhpPartition(system, handle, Rent(system.Surrogates, handle));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>WHvCancelRunVirtualProcessor, from any thread. The partition is not deleted meanwhile.</summary>
    /// <returns>Whether the processor leaves its guest, or there is none any more. If not, this has to be tried again.</returns>
    public bool TryCancelRun()
    {
        bool added = false;
        try
        {
            _handle.DangerousAddRef(ref added);
            return _system.WinHv.CancelRunVirtualProcessor(_handle.DangerousGetHandle(), Vp, flags: 0) >= 0;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
        finally
        {
            if (added)
            {
                _handle.DangerousRelease();
            }
        }
    }

    /// <summary>Deletes the partition and releases all memory.</summary>
    public void Dispose(ref ReleaseFailures failures)
    {
        ForgetRegions();

        // The last owner of the memory unmaps it and gets the failure. That may be this partition.
        SafeHandle[] held = _handle.Held();
        failures.Add(_earlierFailures.First);
        failures.Dispose(_handle);
        foreach (SafeHandle resource in held)
        {
            failures.Note(resource);
        }
    }

    private static Surrogate? Rent(SurrogatePool? pool, PartitionHandle handle)
    {
        if (pool is null)
        {
            return null;
        }

        Surrogate surrogate = pool.Rent();
        handle.Afterwards(() => pool.Return(surrogate));
        return surrogate;
    }

    private static void SetProperties(WhpSystem system, PartitionHandle handle, byte physicalAddressBits)
    {
        // SAFETY: locals of the properties' types and sizes.
        uint processors = 1;
        CheckProperty(Set(WhvPartitionProperties.WHvPartitionPropertyCodeProcessorCount, &processors, sizeof(uint)));
        if (system.Features.Banks is { } banks)
        {
            CheckProperty(Set(
                WhvPartitionProperties.WHvPartitionPropertyCodeProcessorFeaturesBanks, &banks, (uint)sizeof(WhvProcessorFeaturesBanks)));
        }

        WhvX64CpuidResult2[] cpuid = WhpCpuid.Build(physicalAddressBits);
        fixed (WhvX64CpuidResult2* list = cpuid)
        {
            int result = Set(
                WhvPartitionProperties.WHvPartitionPropertyCodeCpuidResultList2, list, (uint)(cpuid.Length * sizeof(WhvX64CpuidResult2)));
            if (!IsUnknown(result))
            {
                CheckProperty(result);
            }
        }

        int Set(uint code, void* value, uint size) =>
            system.WinHv.SetPartitionProperty(handle.DangerousGetHandle(), code, value, size);
    }

    /// <summary>What a platform answers that does not have a property; the guest then sees what the hypervisor gives.</summary>
    private static bool IsUnknown(int result) => result
        is HResults.WHV_E_UNKNOWN_PROPERTY or HResults.E_NOTIMPL or HResults.E_INVALIDARG;

    private static void CheckProperty(int result) => WhpError.Check(result, nameof(WinHvPlatform.WHvSetPartitionProperty));
}
