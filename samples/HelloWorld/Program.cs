using Hyperlight;

const int GuestFailed = 1;
const int NoHypervisor = 2;

string guest = Path.Combine(AppContext.BaseDirectory, "hello.elf");
try
{
    using MultiUseSandbox sandbox = new SandboxBuilder()
        .WithGuest(guest)
        .WithHostFunction("GetWeekday", () => DateTime.Now.DayOfWeek.ToString())
        .Build();

    Console.WriteLine($"driver: {sandbox.Hypervisor}");
    Console.WriteLine(sandbox.Call<string>("SayHello", "World"));
    return 0;
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
