namespace Hyperlight.Samples.HelloAspNet;

/// <summary>Runs a function of the hello guest in a fresh sandbox.</summary>
internal sealed class HelloGuest(ISandboxFactory sandboxes)
{
    // Read and checked once, shared by all sandboxes.
    private readonly GuestBinary _binary = GuestBinary.FromFile(Path.Combine(AppContext.BaseDirectory, "hello.elf"));

    public T Run<T>(Func<MultiUseSandbox, T> call)
    {
        using MultiUseSandbox sandbox = sandboxes.CreateBuilder()
            .WithGuest(_binary)
            .WithHostFunction("GetWeekday", () => DateTime.Now.DayOfWeek.ToString())
            .Build();
        return call(sandbox);
    }
}
