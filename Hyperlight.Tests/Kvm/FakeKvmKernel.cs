using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// A kernel with a scripted KVM. It hands out descriptors, memory and run pages as Linux does, and keeps account of them;
/// what a guest does is up to <see cref="OnRun"/>, which is called at each KVM_RUN, sets registers and the run page, and
/// returns 0 or a negative errno. Whole sandboxes can be driven on it:
/// <code>
/// FakeKvmKernel kernel = new() { OnRun = static vcpu => vcpu.ExitIoOut(port: 108, value: 0) };
/// using KvmHypervisor hypervisor = new(kernel);
/// </code>
/// </summary>
internal sealed partial class FakeKvmKernel : ILinuxKernel
{
    private const string DevicePath = "/dev/kvm";

    private readonly Lock _lock = new();
    private readonly Dictionary<int, object> _descriptors = [];
    private int _nextDescriptor = 1000;

    /// <summary>What a guest does at each KVM_RUN. The default is HLT.</summary>
    public Func<FakeVcpu, int> OnRun { get; set; } = static vcpu => vcpu.ExitHalt();

    /// <summary>The errno of opening the device; 0 lets it be opened.</summary>
    public int OpenError { get; set; }

    /// <inheritdoc/>
    public string? UnsupportedPlatform { get; set; }

    /// <summary>Files besides the device, by path.</summary>
    public Dictionary<string, FakeFile> Files { get; } = [];

    /// <summary>Every machine that was ever created.</summary>
    public List<FakeVm> Machines { get; } = [];

    /// <summary>The vCPU of the machine created last.</summary>
    public FakeVcpu Vcpu => Machines[^1].Vcpu!;

    /// <summary>The names of all calls so far, in order.</summary>
    public List<string> Journal { get; } = [];

    /// <summary>What a real kernel would have punished: memory unmapped under a guest, a signal that ends the process, a descriptor that child processes inherit.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>How many descriptors are open.</summary>
    public int OpenDescriptors => _descriptors.Count;

    public int Open(string path, int flags)
    {
        lock (_lock)
        {
            Journal.Add("open");
            if ((flags & LibC.O_CLOEXEC) == 0)
            {
                Violations.Add($"open of {path} without O_CLOEXEC: child processes inherit the descriptor");
            }

            if (path == DevicePath)
            {
                return OpenError != 0 ? -OpenError : AddDescriptor(this);
            }

            return Files.TryGetValue(path, out FakeFile? file) ? AddDescriptor(file) : -Errno.ENOENT;
        }
    }

    public int Close(int fd)
    {
        lock (_lock)
        {
            Journal.Add("close");
            if (!_descriptors.Remove(fd, out object? target))
            {
                Violations.Add($"close of descriptor {fd}, which is not open");
                return -Errno.EBADF;
            }

            if (target is FakeVm vm)
            {
                vm.IsClosed = true;
            }
            else if (target is FakeVcpu vcpu)
            {
                vcpu.IsClosed = true;
            }

            return 0;
        }
    }

    public int Stat(int fd, out FileStatus status)
    {
        lock (_lock)
        {
            Journal.Add("fstat");
            status = default;
            if (!_descriptors.TryGetValue(fd, out object? target) || target is not FakeFile file)
            {
                return -Errno.EBADF;
            }

            status = new FileStatus(file.Mode, file.Content.Length);
            return 0;
        }
    }

    public nint ReadAt(int fd, Span<byte> buffer, long offset)
    {
        lock (_lock)
        {
            Journal.Add("pread");
            if (!_descriptors.TryGetValue(fd, out object? target) || target is not FakeFile file)
            {
                return -Errno.EBADF;
            }

            int length = (int)Math.Clamp(file.Content.Length - offset, 0, buffer.Length);
            file.Content.AsSpan((int)Math.Min(offset, file.Content.Length), length).CopyTo(buffer);
            return length;
        }
    }

    private int AddDescriptor(object target)
    {
        _descriptors.Add(_nextDescriptor, target);
        return _nextDescriptor++;
    }
}

/// <summary>A file of the simulated kernel.</summary>
internal sealed class FakeFile(byte[] content)
{
    public byte[] Content { get; set; } = content;

    public uint Mode { get; init; } = Stat.S_IFREG | 0x1A4;
}
