using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Hyperlight.Whp;

/// <summary>A process of its own that maps a section of this one, as the process that hosts a guest's memory does.</summary>
internal static partial class Surrogate
{
    private const string Command = "surrogate";
    private const uint DuplicateRight = 0x40;
    private const uint SameAccess = 2;
    private const uint WriteView = 2;

    /// <summary>Starts the process, and waits for what it has to say about the section.</summary>
    /// <returns>The bytes it saw, or what went wrong, as text.</returns>
    public static string Look(FileSectionRegion region, int length)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (string argument in new[]
        {
            Command,
            Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            region.Section.DangerousGetHandle().ToString(CultureInfo.InvariantCulture),
            length.ToString(CultureInfo.InvariantCulture),
        })
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        string answer = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return answer;
    }

    /// <summary>What the process does, if these are its arguments.</summary>
    public static bool TryRun(string[] arguments)
    {
        if (arguments is not [Command, var process, var section, var length])
        {
            return false;
        }

        nint owner = OpenProcess(DuplicateRight, inherit: 0, int.Parse(process, CultureInfo.InvariantCulture));
        if (DuplicateHandle(
            owner, nint.Parse(section, CultureInfo.InvariantCulture), Process.GetCurrentProcess().Handle, out nint own, 0, 0, SameAccess) == 0)
        {
            Console.WriteLine($"DuplicateHandle: {Marshal.GetLastPInvokeErrorMessage()}");
            return true;
        }

        if (MapViewOfFile(own, WriteView, 0, 0, 0) != 0)
        {
            Console.WriteLine("the section can be mapped for writing");
            return true;
        }

        int error = WindowsKernel.Instance.MapReadView(own, out nint address);
        if (error != 0)
        {
            Console.WriteLine($"MapViewOfFile: {Marshal.GetPInvokeErrorMessage(error)}");
            return true;
        }

        var bytes = new byte[int.Parse(length, CultureInfo.InvariantCulture)];
        Marshal.Copy(address, bytes, 0, bytes.Length);
        Console.WriteLine(Convert.ToHexString(bytes));
        return true;
    }

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint OpenProcess(uint access, int inherit, int processId);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int DuplicateHandle(
        nint sourceProcess, nint source, nint targetProcess, out nint target, uint access, int inherit, uint options);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint MapViewOfFile(nint section, uint access, uint offsetHigh, uint offsetLow, nuint length);
}
