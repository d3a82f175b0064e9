using Hyperlight;
using Hyperlight.Samples.HelloAspNet;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddHyperlight(builder.Configuration.GetSection("Hyperlight"));
builder.Services.AddSingleton<HelloGuest>();
WebApplication app = builder.Build();

// Every request gets a micro VM of its own, so no request sees anything of another.
app.MapGet("/hello/{name}", (string name, HelloGuest guest) => guest.Run(sandbox => sandbox.Call<string>("SayHello", name)));
app.MapGet("/add/{a:int}/{b:int}", (int a, int b, HelloGuest guest) => guest.Run(sandbox => sandbox.Call<int>("Add", a, b)));

// Fail at the start, with a message that says what to do, rather than at the first request.
try
{
    app.Logger.LogInformation("driver: {Driver}", app.Services.GetRequiredService<ISandboxFactory>().Hypervisor);
}
catch (HypervisorNotAvailableException exception)
{
    app.Logger.LogCritical("{Message}", exception.Message);
    return 1;
}

app.Run();
return 0;
