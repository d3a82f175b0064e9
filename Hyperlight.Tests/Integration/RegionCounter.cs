using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// Passes everything on to a driver, and counts the memory and the files that it gave and that were not released. A region
/// that was dropped counts until the garbage collector has found it, and for ever if something holds its handle.
/// </summary>
internal sealed class RegionCounter(IHypervisor driver) : ForwardingHypervisor(driver)
{
    private int _regions;

    /// <summary>How many regions are not released.</summary>
    public int Regions => Volatile.Read(ref _regions);

    public override IMemoryRegion AllocateMemory(nuint size) => new CountedRegion(this, base.AllocateMemory(size));

    public override IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        PreparedMapping.Prepare(path, guestAddress, label, file =>
        {
            using IPreparedMapping prepared = base.PrepareFileMapping(file, guestAddress, label);
            return new CountedRegion(this, prepared.Consume());
        });

    private sealed class CountedRegion(RegionCounter counter, IMemoryRegion region) : IMemoryRegion
    {
        private readonly CountedHandle _handle = new(counter, region.Handle);

        public nuint Size => region.Size;

        public MemoryRegionKind Kind => region.Kind;

        public SafeHandle Handle => _handle;

        public void Read(nuint offset, Span<byte> destination) => region.Read(offset, destination);

        public void Write(nuint offset, ReadOnlySpan<byte> source) => region.Write(offset, source);

        public void Clear(nuint offset, nuint length) => region.Clear(offset, length);

        public Span<byte> GetSpan(nuint offset, int length) => region.GetSpan(offset, length);

        public void MakeReadOnly() => region.MakeReadOnly();

        public void Dispose()
        {
            _handle.Dispose();
            region.Dispose();
        }
    }

    private sealed class CountedHandle : SafeHandle
    {
        private readonly RegionCounter _counter;
        private readonly SafeHandle _inner;

        public CountedHandle(RegionCounter counter, SafeHandle inner)
            : base(0, ownsHandle: true)
        {
            bool added = false;
            inner.DangerousAddRef(ref added);
            _counter = counter;
            _inner = inner;
            SetHandle(inner.DangerousGetHandle());
            Interlocked.Increment(ref counter._regions);
        }

        /// <summary>Files of the emulator have no address.</summary>
        public override bool IsInvalid => _inner is null;

        protected override bool ReleaseHandle()
        {
            _inner.DangerousRelease();
            Interlocked.Decrement(ref _counter._regions);
            return true;
        }
    }
}
