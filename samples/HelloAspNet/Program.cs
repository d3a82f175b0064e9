using Hyperlight;
using Hyperlight.Samples.HelloAspNet;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);

// Drivers, templates and limits are in appsettings.json. Code adds what configuration cannot say.
builder.Services.AddHyperlight(builder.Configuration.GetSection("Hyperlight"))
    .AddSandbox("hello", o => o.AddHostFunctions<Calendar>((functions, calendar) =>
        functions.WithHostFunction("GetWeekday", () => calendar().GetWeekday())));
builder.Services.AddScoped<Calendar>();

builder.Services.AddHealthChecks().AddHyperlight(
    o => o.Probe("hello", (lease, token) => lease.CallAsync<int>("Add", [1, 2], token)),
    timeout: TimeSpan.FromSeconds(5));

builder.Services.AddProblemDetails();
WebApplication app = builder.Build();
app.UseExceptionHandler(new ExceptionHandlerOptions { StatusCodeSelector = GuestErrors.StatusCodeOf });
app.MapHealthChecks("/health");

// Every request gets a clean sandbox of the pool, so no request sees anything of another.
app.MapGet("/hello/{name}", async (string name, [FromKeyedServices("hello")] ISandboxPool pool, CancellationToken token) =>
{
    await using SandboxLease lease = await pool.RentAsync(token);
    return await lease.CallAsync<string>("SayHello", [name], token);
});

app.MapGet("/add/{a:int}/{b:int}", async (int a, int b, [FromKeyedServices("hello")] ISandboxPool pool, CancellationToken token) =>
{
    await using SandboxLease lease = await pool.RentAsync(token);
    return await lease.CallAsync<int>("Add", [a, b], token);
});

app.Run();
