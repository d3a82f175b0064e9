using System.Runtime.InteropServices;
using Hyperlight;

const int ModelSize = 4 << 20;
const ulong ModelAddress = 0x1000_0000;
const int GuestFailed = 1;
const int NoHypervisor = 2;
const int WrongChecksum = 3;

string model = Path.GetTempFileName();
try
{
    byte[] weights = new byte[ModelSize];
    new Random(42).NextBytes(weights);
    File.WriteAllBytes(model, weights);

    using MultiUseSandbox sandbox = new SandboxBuilder()
        .WithGuest(Path.Combine(AppContext.BaseDirectory, "model.elf"))
        .WithConfiguration(new SandboxConfiguration { FileMappingTable = true })
        .WithFileMapping(model, ModelAddress, "weights")
        .Build();
    Console.WriteLine($"driver: {sandbox.Hypervisor}");

    // The guest finds the file by its label and reads it where it lies: nothing of it is copied into the guest.
    ulong size = sandbox.Call<ulong>("SizeOfModel", "weights");
    ulong guest = sandbox.Call<ulong>("Checksum", "weights");
    ulong host = Checksum(weights);
    Console.WriteLine($"model: {size} bytes at guest physical address 0x{ModelAddress:X}");
    Console.WriteLine($"checksum by the guest: {guest:x16}");
    Console.WriteLine($"checksum by the host:  {host:x16}");
    return guest == host ? 0 : WrongChecksum;
}
catch (HypervisorNotAvailableException exception)
{
    Console.Error.WriteLine(exception.Message);
    return NoHypervisor;
}
catch (HyperlightException exception)
{
    Console.Error.WriteLine($"The guest did not run: {exception.Message}");
    return GuestFailed;
}
finally
{
    File.Delete(model);
}

// FNV-1a over 64-bit words, as the guest calculates it.
static ulong Checksum(ReadOnlySpan<byte> bytes)
{
    ulong hash = 0xCBF2_9CE4_8422_2325;
    foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
    {
        hash = (hash ^ word) * 0x100_0000_01B3;
    }

    return hash;
}
