using Hyperlight;
using Microsoft.Extensions.Logging;

using ILoggerFactory loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Debug));
using MultiUseSandbox sandbox = new SandboxBuilder()
    .WithGuest(args[0])
    .WithLogging(loggers)
    .WithHostFunction("GetWeekday", () => "Monday")
    .Build();

Console.WriteLine(sandbox.Call<string>("SayHello", "package"));
